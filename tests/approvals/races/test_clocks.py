"""The deadline and its alarms against people, and against each other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest

from approvals.flow import APPROVAL
from approvals.models import Request
from approvals.services import publish_policy
from orchestration.clock import now
from orchestration.errors import Gone, WrongState
from tests.approvals.races.scenes import TIMES, ends_of, opened, race, refusals, whole
from tests.contract.cast import says
from tests.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def at_the_deadline(request: Request, act: Callable[[], object], spread: float = 0.0) -> Callable[[], object]:
    """`act`, as near to the request's deadline as this machine can; never before it when there is no spread."""
    early = random.uniform(0, spread)

    def go() -> object:
        wait = threading.Event()
        while (left := (request.expires_at - now()).total_seconds() - early) > 0:  # type: ignore[operator]
            wait.wait(left)
        return act()

    return go


def test_a_word_at_the_deadline_counts_or_is_too_late_and_never_both() -> None:
    seen = set()
    for _ in range(TIMES):
        request = opened(timeout_seconds=0.25)
        spoken, rung = race(
            at_the_deadline(request, partial(says, "bob", "approve", request), spread=0.04),
            at_the_deadline(request, lambda request=request: APPROVAL.ring(request.run_id, now())),
        )
        request = whole(request)
        assert not isinstance(rung, Exception)
        if isinstance(spoken, Exception):
            assert isinstance(spoken, Gone) and "in time" in str(spoken) and not request.votes.exists()
        assert ends_of(request) == ["expired" if isinstance(spoken, Exception) else "approved"]
        seen.add(request.status)
    assert seen  # both happen on most machines; which of them is chance


def test_a_word_after_the_deadline_is_late_though_no_alarm_has_rung() -> None:
    request = opened(timeout_seconds=0.05)
    with pytest.raises(Gone, match=f"was over at {request.expires_at:%Y-%m-%d %H:%M:%S} UTC"):
        at_the_deadline(request, partial(says, "bob", "approve", request))()
    assert whole(request).status == "pending", "a refusal changes nothing; the alarm ends it"
    APPROVAL.ring(request.run_id, now())
    deadline = request.expires_at
    request = whole(request)
    assert (request.status, request.decided_at, request.decided_by) == ("expired", deadline, "")
    with pytest.raises(Gone, match="nobody decided in time"):
        says("carol", "reject", request)


def test_alarms_that_ring_together_end_it_once() -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=0.05)
        rings = [at_the_deadline(request, lambda request=request: APPROVAL.ring(request.run_id, now()))] * 4
        outcomes = race(*rings)
        assert all(found.ended for found in outcomes) and ends_of(whole(request)) == ["expired"]


def test_alarms_that_ring_together_escalate_once() -> None:
    stage = {
        "name": "s", "who": {"users": ["bob"]}, "remind": [0.02],
        "escalate": [{"after": 0.04, "to": {"users": ["dora"]}, "authority": "add"}],
    }  # fmt: skip
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    for _ in range(TIMES):
        request = opened(policy="p", approvers=())
        threading.Event().wait(0.06)
        race(*[lambda request=request: APPROVAL.ring(request.run_id, now())] * 4)
        request = whole(request)
        kinds = list(request.run.events.values_list("kind", flat=True))
        assert kinds.count("approval.escalated") == kinds.count("approval.reminded") == 1
        assert {seat.user.username for seat in request.seats.all() if seat.user} == {"bob", "dora"}


def test_an_escalation_that_hands_over_meets_the_first_people() -> None:
    stage = {
        "name": "s", "who": {"users": ["bob"]},
        "escalate": [{"after": 0.1, "to": {"users": ["dora"]}, "authority": "transfer"}],
    }  # fmt: skip
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    for _ in range(TIMES):
        request = opened(policy="p", approvers=())
        (refusal, *_) = [*refusals(race(
            partial(says, "bob", "approve", request),
            lambda request=request: APPROVAL.ring(request.run_id, now()),
            partial(says, "dora", "approve", request),
        )), None]  # fmt: skip
        request = whole(request)
        assert request.votes.count() <= 1 and (refusal is None or isinstance(refusal, WrongState | Exception))
        assert ends_of(request) == (["approved"] if request.votes.exists() else [])
