"""Patterns of schemas: what is searched in linear time, and that it means what it means to `re`."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.validation.patterns import is_found, is_linear, size_of_pattern
from tests.support.examples import examples

HOSTILE = """
from orchestration.actions.output_schema import mismatch
LETTERS = "a" * 40
for text in (LETTERS + "!", LETTERS + "\\ud800"):
    assert "breaks pattern" in mismatch({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": text})
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        assert "unexpected" in mismatch({"patternProperties": {"^(a+)+$": True}, keyword: False}, {text: 1})
nested = {"allOf": [{"patternProperties": {"^(a+)+$": True}}], "unevaluatedProperties": False}
assert "unexpected" in mismatch(nested, {LETTERS + "!": 1})
"""


def test_an_answer_made_to_be_searched_without_end_is_answered() -> None:
    """With `re` each of them takes years; the limit is only there to end the test then."""
    done = subprocess.run([sys.executable, "-c", HOSTILE], timeout=20, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        r"^[\w.+-]+@[\w-]+$",
        "^[+*/-]+$",
        "^[^[]+$",
        "^[a&&b]$",
        r"^\<a\>$",
        "^{x}$",
        "a{2,}b?",
        "^--[a-z]+$",
        "",
    ],
)
def test_linear(pattern: str) -> None:
    assert is_linear(pattern)


@pytest.mark.parametrize("pattern", ["(?=b)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "a++b", "[+--]", r"a\Z"])
def test_not_linear(pattern: str) -> None:
    assert not is_linear(pattern)


@pytest.mark.parametrize("text", ["²", "½", "\u0301", "\u200d", "\x1c", "\u2028", "٣", "_", "é", "·"])
@pytest.mark.parametrize(
    "pattern", [r"\w", r"\W", r"\s", r"\S", r"\d", r"[\w-]", r"[^\w]", r"[\W_]", r"[^\S]", r"[\s\d]"]
)
def test_escapes_mean_what_they_mean_to_re(pattern: str, text: str) -> None:
    assert is_linear(pattern) and is_found(pattern, text) is (re.search(pattern, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(?x)[a b]", " "), ("$[^a]", "\n"), (r"(?:a$)\s", "a\n"), (r"(?:x$|\s){2}", "x\n"), ("(a$|b)c?$", "a\n")],
)
def test_what_the_linear_engine_reads_in_another_way_is_left_to_re(pattern: str, text: str) -> None:
    assert not is_linear(pattern) and is_found(pattern, text)


@pytest.mark.parametrize("pattern", ["^(a$|b$)", "(?:a|b$)?", "^$|^a$", r"(?m)^a$\n", r"\(?x", "(a$)$"])
def test_an_end_that_is_last_is_linear(pattern: str) -> None:
    assert is_linear(pattern)


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [("a", 1, 1), ("(?:a{0,300}){0,300}", 80_000, 100_000), (r"\w{10}", 12_000, 12_000), ("(a|b){3,}", 12, 20),
     ("((a{1000}){1000}){1000}", 250_000, 250_000), ("(?i)[^a]{50}", 1000, 5000), ("{a}", 3, 3)],
)  # fmt: skip
def test_the_size_of_a_pattern_is_known_before_it_is_compiled(pattern: str, least: int, most: int) -> None:
    assert least <= size_of_pattern(pattern) <= most


PIECES = [
    "a", "b", "[a&&b]", "[^[]", "[]a]", "[^]a]", "[~~a]", "[+*]", r"\+", "+", "*", "?", "{", "}", "{2}", "{1,}", "{,2}",
    "(", ")", "|", "^", r"\d", r"\w", r"[\w-]", r"\[", ".", r"\b", r"\<", "\ud800", "&&", "--", "~~", "[-*+/]",
]  # fmt: skip
CHARACTERS = st.sampled_from("ab&[]~+*{}-1\n\ud800\\<é")


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@examples(1000)
@given(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), st.text(CHARACTERS, max_size=5))
def test_a_pattern_means_what_it_means_to_re(pattern: str, text: str) -> None:
    try:
        known = re.compile(pattern)
    except re.error:
        return
    assert is_found(pattern, text) is (known.search(text) is not None)
