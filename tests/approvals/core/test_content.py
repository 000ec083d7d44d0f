from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from approvals.core.content import MOST_LINES, difference


def test_a_difference_is_a_unified_diff() -> None:
    diff = difference({"a": 1, "b": 2}, {"a": 1, "b": 3})
    assert diff.splitlines()[:2] == ["--- decided", "+++ now"] and '- "b": 2' in diff and '+ "b": 3' in diff
    assert difference({"a": 1}, {"a": 1}) == ""


def test_a_large_difference_says_all_and_compares_nothing() -> None:
    before = {"lines": [f"{number % 7}" for number in range(MOST_LINES * 3)]}
    after = {"lines": [f"{number % 5}" for number in range(MOST_LINES * 3)]}
    lines = difference(before, after).splitlines()
    assert lines[2] == f"@@ -8,{MOST_LINES * 3 - 3} +8,{MOST_LINES * 3 - 3} @@"
    assert len(lines) == 3 + 2 * (MOST_LINES * 3 - 3)
    assert difference(before, before) == ""


@given(st.dictionaries(st.text(max_size=3), st.integers()), st.dictionaries(st.text(max_size=3), st.integers()))
def test_there_is_a_difference_where_the_contents_differ(before: dict[str, int], after: dict[str, int]) -> None:
    assert (difference(before, after) == "") == (before == after)
