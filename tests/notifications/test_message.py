"""Words of a service are shown as they are: no link, no heading and no list comes of them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.markdown_html import rendered
from notifications.message import verbatim
from tests.support.examples import examples

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)


def shown(markdown: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", rendered(markdown))).strip()


@pytest.mark.parametrize(
    "text",
    [
        "[pay here](http://evil.example)",
        "# big",
        "- one",
        "1. one",
        "12) two",
        "123. three",
        "1234567. x",
        "---",
        "=",
        "<b>x</b>",
        "`code`",
        "*x* _y_",
        "a | b",
    ],
)
def test_it_is_no_markup(text: str) -> None:
    html = rendered(verbatim(text))
    assert shown(verbatim(text)) == text and not re.search(r"<(a|h1|li|b|code|em|strong|table)\b", html), html


@examples(300)
@given(ASCII)
def test_any_line_is_shown_as_it_is(text: str) -> None:
    assert shown(verbatim(text)) == " ".join(text.split())
