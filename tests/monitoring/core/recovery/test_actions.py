"""What an action comes to in each state of a run, and what a policy may not do that a person may."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.core.enums import RecoveryAction
from monitoring.core.facts import RunFacts
from monitoring.core.recovery.actions import doing
from orchestration.core.enums import RunStatus
from tests.monitoring.core.cases import facts, trouble

A = RecoveryAction
BLOCKED = trouble("pay", blocked=True)
UNDO = trouble("reserve", status="succeeded", undo="compensation_failed", open_undo=True)


def held(**more: Any) -> RunFacts:
    return facts(status=RunStatus.HELD, held=True, troubled=(BLOCKED,), **more)


STATES: dict[str, RunFacts] = {
    "pending": facts(status=RunStatus.PENDING, handed_over=False),
    "running": facts(),
    "blocked": held(),
    "by person": facts(status=RunStatus.HELD, held=True, held_by="ada"),
    "by recovery": facts(status=RunStatus.HELD, held=True, held_by="recovery:p"),
    "compensating": facts(status=RunStatus.COMPENSATING),
    "attention": facts(status=RunStatus.NEEDS_ATTENTION, troubled=(UNDO,)),
    "rolled back": facts(status=RunStatus.ROLLED_BACK),
    "completed": facts(status=RunStatus.COMPLETED),
}
TABLE: dict[RecoveryAction, dict[str, str]] = {
    A.RETRY: {"pending": "wake", "blocked": "retry pay", "attention": "resolve reserve"},
    A.RESTART: {
        "pending": "abort, restart", "running": "abort, restart", "blocked": "abort, restart",
        "by recovery": "abort, restart", "compensating": "restart", "rolled back": "restart",
    },
    A.ROLLBACK: {
        "pending": "abort", "running": "abort", "blocked": "abort", "by recovery": "abort",
        "attention": "resolve reserve",
    },
    A.CANCEL: {"pending": "abort", "running": "abort", "blocked": "abort", "by recovery": "abort"},
    A.SKIP: {},
    A.PAUSE: {"pending": "hold", "running": "hold"},
    A.RESUME: {"by recovery": "release"},
    A.WAKE: dict.fromkeys((name for name in STATES if name not in ("rolled back", "completed")), "wake"),
    A.NOTIFY: dict.fromkeys(STATES, "tell"),
    A.ESCALATE: dict.fromkeys(STATES, "tell"),
}  # fmt: skip
BY_HAND: dict[RecoveryAction, dict[str, str]] = {
    A.RESTART: {"by person": "abort, restart", "completed": "restart"},
    A.ROLLBACK: {"by person": "abort"},
    A.CANCEL: {"by person": "abort"},
    A.RESUME: {"by person": "release"},
}


def told(action: RecoveryAction, state: RunFacts, **more: Any) -> str:
    found = doing(action, state, **more)
    assert bool(found.acts) != bool(found.refusal)
    return ", ".join(f"{act.verb} {act.step_id}".strip() for act in found.acts)


@pytest.mark.parametrize("action", list(RecoveryAction))
def test_the_table_of_actions_and_states(action: RecoveryAction) -> None:
    assert {name: said for name, state in STATES.items() if (said := told(action, state))} == TABLE[action]
    more = TABLE[action] | BY_HAND.get(action, {})
    assert {name: said for name, state in STATES.items() if (said := told(action, state, by_hand=True))} == more


@pytest.mark.parametrize("action", [A.RESTART, A.ROLLBACK, A.CANCEL])
def test_nothing_is_undone_past_the_pivot(action: RecoveryAction) -> None:
    assert "pivot" in doing(action, held(pivot_passed=True), by_hand=True).refusal


def test_an_abort_says_why_it_was_made() -> None:
    assert [doing(action, facts()).acts[0].cause for action in (A.ROLLBACK, A.CANCEL, A.RESTART)] == [
        "failure", "cancelled", "operator",
    ]  # fmt: skip


def test_what_may_have_been_done_is_repeated_only_where_that_is_safe() -> None:
    unknown: dict[str, Any] = {"status": "unknown", "blocked": True}
    ways: tuple[tuple[dict[str, Any], bool], ...] = (({}, False), ({"has_probe": True}, True), ({"asks": True}, True))
    for more, safe in ways:
        state = facts(status=RunStatus.HELD, held=True, troubled=(trouble(**unknown, **more),))
        assert bool(doing(A.RETRY, state).acts) is safe
        assert doing(A.RETRY, state, by_hand=True).acts
    assert "a person decides" in doing(A.RETRY, facts(held=True, troubled=(trouble(**unknown),))).refusal


def test_only_what_can_be_missed_is_skipped_and_by_hand_what_is_named() -> None:
    can = facts(status=RunStatus.HELD, held=True, troubled=(trouble(blocked=True, can_skip=True),))
    assert told(A.SKIP, can) == "skip pay"
    assert "default_output" in doing(A.SKIP, held()).refusal
    assert told(A.SKIP, held(), by_hand=True, step_id="pay") == "skip pay"
    assert told(A.SKIP, facts(), by_hand=True, step_id="mail") == "skip mail"
    assert doing(A.SKIP, facts(), step_id="mail").refusal


def test_every_blocked_step_is_retried_or_the_named_one() -> None:
    two = facts(status=RunStatus.HELD, held=True, troubled=(BLOCKED, trouble("ship", blocked=True)))
    assert told(A.RETRY, two) == "retry pay, retry ship"
    assert told(A.RETRY, two, step_id="ship") == "retry ship"
    assert "blocks nothing" in doing(A.RETRY, two, step_id="mail").refusal


def test_a_run_that_a_person_holds_is_left_alone_even_if_a_step_blocks() -> None:
    both = facts(status=RunStatus.HELD, held=True, held_by="ada", troubled=(BLOCKED,))
    for action in (A.RETRY, A.RESTART, A.ROLLBACK, A.CANCEL, A.SKIP, A.PAUSE, A.RESUME):
        assert doing(action, both).refusal, action


def test_a_child_is_not_restarted_and_an_approval_knows_little() -> None:
    assert "parent" in doing(A.RESTART, facts(parent=True)).refusal
    approval = facts(kind="approval", status=RunStatus.WAITING)
    said = {action: told(action, approval) for action in RecoveryAction}
    assert {action: words for action, words in said.items() if words} == {
        A.CANCEL: "abort", A.ESCALATE: "remind", A.NOTIFY: "tell", A.WAKE: "wake",
    }  # fmt: skip
