"""What an agent only proposes, and whether a yes to what was shown covers what an act would do now."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.enums import Answer, Verb
from orchestration.core.proposals import beyond, people_decide

SHOWN: dict[str, Any] = {
    "waves": [["b"], ["a"]],
    "without_undo": ["mail"],
    "in_flight": ["c"],
    "pivot": "",
    "earlier": {"a": [1]},
}


def test_people_decide_what_undoes_leaves_out_or_repeats() -> None:
    assert {verb for verb in Verb if people_decide(verb)} == {Verb.ABORT, Verb.SKIP, Verb.RERUN}
    assert [answer for answer in Answer if people_decide(Verb.RESOLVE, answer)] == [Answer.ACCEPT_LOSS]


@pytest.mark.parametrize(
    "now",
    [
        SHOWN,
        {},
        {"waves": [["c"], ["b"], ["a"]], "in_flight": []},  # what was in flight has happened
        {"waves": [["a"]], "in_flight": ["b"]},  # what had happened is tried again
        {"waves": [["a", "b"]], "without_undo": [], "earlier": {}},
    ],
)
def test_a_yes_covers_what_was_shown_and_less(now: dict[str, Any]) -> None:
    assert beyond(SHOWN, now) == []


@pytest.mark.parametrize(
    ("now", "more"),
    [
        ({"waves": [["d"], ["b"], ["a"]]}, ["undo d"]),
        ({"without_undo": ["mail", "c"]}, ["let stand c"]),
        ({"in_flight": ["c", "d"]}, ["stop d"]),
        ({"earlier": {"a": [1, 2]}}, ["let stand a (iteration 2)"]),
        ({"again": ["a"], "repeated": ["a"]}, ["run again a", "repeat the effects of a"]),
    ],
)
def test_what_was_not_shown_is_named(now: dict[str, Any], more: list[str]) -> None:
    assert beyond(SHOWN, now) == more
