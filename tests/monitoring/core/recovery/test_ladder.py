"""The rungs of a policy: each once, passed where not legal, and people told once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.enums import RecoveryAction
from monitoring.core.policy_checks import TELLING
from monitoring.core.recovery.ladder import next_of, rungs

A = RecoveryAction


def fine(_: RecoveryAction) -> str:
    return ""


def test_the_first_is_repeated_so_that_all_fit() -> None:
    assert rungs([A.RETRY, A.ROLLBACK], 3) == (A.RETRY, A.RETRY, A.ROLLBACK)
    assert rungs([A.NOTIFY, A.RETRY, A.ESCALATE], 2) == (A.RETRY, A.RETRY)
    assert rungs([A.NOTIFY], 3) == ()
    with pytest.raises(ValueError, match="2 actions and only 1 attempts"):
        rungs([A.RETRY, A.ROLLBACK], 1)


def test_people_are_told_where_it_stands_and_at_the_end() -> None:
    actions = [A.RETRY, A.NOTIFY, A.ROLLBACK, A.ESCALATE]
    first = next_of(actions, 3, spent=(), told=(), legal=fine)
    assert (first.action, first.rung, first.tell) == (A.RETRY, 0, ())
    third = next_of(actions, 3, spent=(0, 1), told=(), legal=fine)
    assert (third.action, third.rung, third.tell) == (A.ROLLBACK, 2, (A.NOTIFY,))
    assert next_of(actions, 3, spent=(0, 1), told=(A.NOTIFY,), legal=fine).tell == ()
    end = next_of(actions, 3, spent=(0, 1, 2), told=(A.NOTIFY,), legal=fine)
    assert (end.action, end.tell, end.exhausted) == (None, (A.ESCALATE,), True)


def test_a_rung_that_is_not_legal_is_passed_and_not_spent() -> None:
    def no_retry(action: RecoveryAction) -> str:
        return "nothing to retry" if action is A.RETRY else ""

    found = next_of([A.RETRY, A.ROLLBACK], 3, spent=(), told=(), legal=no_retry)
    assert (found.action, found.rung, found.passed) == (A.ROLLBACK, 2, ((A.RETRY, "nothing to retry"),))
    later = next_of([A.RETRY, A.ROLLBACK], 3, spent=(2,), told=(), legal=fine)
    assert (later.action, later.rung) == (A.RETRY, 0)
    armed = next_of([A.RETRY, A.ESCALATE], 2, spent=(), told=(), legal=no_retry)
    assert (armed.action, armed.tell, armed.exhausted) == (None, (A.ESCALATE,), False)


acting = st.lists(st.sampled_from([one for one in A if one not in TELLING]), min_size=1, max_size=4, unique=True)


@given(acting, st.integers(4, 8), st.lists(st.sets(st.sampled_from(list(A))), max_size=30))
def test_whatever_is_legal_when_no_policy_acts_more_often_than_its_budget(
    actions: list[RecoveryAction], most: int, moments: list[set[RecoveryAction]]
) -> None:
    spent: list[int] = []
    told: list[RecoveryAction] = []
    for allowed in moments:
        found = next_of(
            [*actions, A.ESCALATE], most, spent=spent, told=told,
            legal=lambda action, allowed=allowed: "" if action in allowed else "no",  # type: ignore[misc]
        )  # fmt: skip
        assert (found.action is None) == (found.rung is None)
        if found.rung is not None:
            assert found.action in allowed and found.rung not in spent
            spent.append(found.rung)
        told += found.tell
    assert len(spent) <= most and told in ([], [A.ESCALATE])
    assert set(actions) <= set(rungs(actions, most))
