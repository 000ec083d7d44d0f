"""What is sent holds nothing that hides or reverses, and no markup of others' making."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.visible_text import clean, one_line
from notifications.channels.envelope import Item
from notifications.channels.markdown_html import page, rendered
from notifications.channels.mrkdwn import escape_within, link, mrkdwn


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    kinds = {unicodedata.category(character) for character in clean(text).replace("\n", "").replace("\t", "")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_is_visible_stays(text: str) -> None:
    assert clean(text) == text


def test_direction_and_zero_width_characters_are_gone() -> None:
    assert clean("pay \u202e001\u202c\u200b\ufeff\u2066 EUR\r\nnow\u2028!\0") == "pay 001 EUR\nnow\n!"
    assert one_line(" a\n b\t\u200dc ", 4) == "a b…"


def test_html_is_escaped_and_nothing_is_fetched() -> None:
    html = rendered(
        "**bold** <script>alert(1)</script> ![x](https://evil.test/p.png) [in](https://ok.test) "
        "[no](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n| a |\n|---|\n| b |\n"
    )
    assert "<strong>bold</strong>" in html and "<table>" in html
    assert '<a href="https://ok.test" rel="noopener noreferrer">in</a>' in html
    for forbidden in ("<script", "<img", "evil.test", 'href="javascript'):
        assert forbidden not in html


def test_titles_and_links_are_escaped_in_html() -> None:
    item = Item(id=1, subject="s", title="<b>1 & 2</b>", text="", url='https://x.test/"><script>')
    html = page((item,))
    assert "&lt;b&gt;1 &amp; 2&lt;/b&gt;" in html and "<script>" not in html


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold** and *it* and ~~no~~", "*bold* and _it_ and ~no~"),
        ("# Title\n\ntext", "*Title*\n\ntext"),
        ("- a\n- b\n  - c\n\n1. x\n2. y", "• a\n• b\n    • c\n\n1. x\n2. y"),
        ("> said\n> so", "> said\n> so"),
        ("`a<b`\n\n```py\nx = 1 & 2\n```", "`a&lt;b`\n\n```\nx = 1 &amp; 2\n```"),
        ("[docs](https://x.test/?a=1&b=2)", "<https://x.test/?a=1&amp;b=2|docs>"),
        ("<!channel> <@U1> & more", "&lt;!channel&gt; &lt;@U1&gt; &amp; more"),
        ("![pixel](https://evil.test/p.png)", "pixel"),
        ("[click](ftp://x.test/y)", "click"),
    ],
)
def test_markdown_as_slack_shows_it(markdown: str, shown: str) -> None:
    assert mrkdwn(markdown, 3000) == shown


@given(st.text(max_size=400), st.integers(10, 200))
def test_slack_text_never_rings_and_never_overflows(text: str, most: int) -> None:
    found = mrkdwn(clean(text), most)
    assert len(found) <= most
    for start in ("<!", "<@", "<#"):
        assert start not in found
    assert len(escape_within(text, most)) <= most


def test_a_link_cannot_be_broken_out_of() -> None:
    assert link("https://x.test/|evil>", "a|b<c>") == "<https://x.test/%7Cevil&gt;|a/b&lt;c&gt;>"
