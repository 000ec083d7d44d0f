"""Whether what is shown of a text is all of it."""

from __future__ import annotations

import pytest

from approvals.core.content import shows, told_apart


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**Pay** 9 €", "Pay 9 €"),
        ("a_b `c`", "a b c and more"),
        ("这是**重要**的", "这是重要的"),
        ("", ""),
        ("see [it](https://x.y)", "see it (x.y: https://x.y)"),
    ],
)
def test_markup_may_go_and_words_may_come(source: str, shown: str) -> None:
    assert shows(source, shown)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("pay all", "pay"),
        ("2*3*4", "234"),
        ("pay pay", "pay"),
        ("first second", "second first"),
        ("go 💣", "go"),
        ("Ünal", "nal"),
        ("Pay", "pay"),
    ],
)
def test_a_word_that_is_gone_is_told(source: str, shown: str) -> None:
    assert not shows(source, shown)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("false", '"false"'), ("null", '"null"'), ("80", '"80"'), (" 1e3 ", '" 1e3 "'), ('"x"', r'"\"x\""'),
        ("False", "False"), ("v1.2", "v1.2"), ("{}", "{}"), ("", ""), ("9" * 5000, "9" * 5000), ("[" * 150, "[" * 150),
    ],
)  # fmt: skip
def test_text_is_told_apart_from_other_values(text: str, told: str) -> None:
    assert told_apart(text) == told
