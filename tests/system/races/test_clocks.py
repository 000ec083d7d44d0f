"""The deadline and its alarms against people, and against each other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest

from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.requests import name_people, publish_policy, reassign, resubmit, withdraw
from foundation.clock import now
from foundation.errors import Gone, WrongState
from foundation.models import AuditEvent
from orchestration.ports import Next
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import TIMES, ends_of, opened, race, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]


def at(moment: datetime | None, act: Callable[[], object], spread: float = 0.0) -> Callable[[], object]:
    """`act` at this moment, as near as the machine can; never before it when there is no spread."""
    early = random.uniform(0, spread)

    def go() -> object:
        wait = threading.Event()
        assert moment is not None
        while (left := (moment - now()).total_seconds() - early) > 0:
            wait.wait(left)
        return act()

    return go


def fire(request: Request) -> Callable[[], Next]:
    return lambda: APPROVAL.on_timer(request.run_id, now())


def test_a_word_at_the_deadline_counts_or_is_too_late_and_never_both() -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=0.25)
        spoken, rung = race(
            at(request.expires_at, partial(says, "bob", "approve", request), spread=0.04),
            at(request.expires_at, fire(request)),
        )
        request = whole(request)
        assert not isinstance(rung, Exception)
        if isinstance(spoken, Exception):
            assert isinstance(spoken, Gone) and "in time" in str(spoken) and not request.votes.exists()
        assert ends_of(request) == ["expired" if isinstance(spoken, Exception) else "approved"]


def test_a_word_after_the_deadline_ends_it_though_no_alarm_has_rung() -> None:
    request, by_alarm = opened(timeout_seconds=0.05), opened(timeout_seconds=0.05)
    deadline = request.expires_at
    with pytest.raises(Gone, match=f"was over at {deadline:%Y-%m-%d %H:%M:%S} UTC, and has expired"):
        at(deadline, partial(says, "bob", "approve", request))()
    request = whole(request)
    assert (request.status, request.decided_at, request.decided_by) == ("expired", deadline, "")
    at(by_alarm.expires_at, fire(by_alarm))()
    assert left_by(request) == left_by(by_alarm), "as the alarm would have ended it"
    version = request.run.version
    assert APPROVAL.on_timer(request.run_id, now()).ended, "the alarm that fired at last finds nothing to do"
    with pytest.raises(Gone, match="nobody decided in time"):
        says("carol", "reject", request)
    assert whole(request).run.version == version


@pytest.mark.parametrize("late", [
    lambda request: withdraw(request_id=str(request), actor=ADA),
    lambda request: resubmit(request_id=str(request), actor=ADA, description="other"),
    lambda request: reassign(request_id=str(request), actor=actor(account("bob")), to="dora"),
    lambda request: name_people(request_id=str(request), actor=ADA, users=["dora"]),
])  # fmt: skip
def test_whatever_is_done_too_late_ends_it_and_does_nothing_else(late: Callable[[Request], object]) -> None:
    request = opened(timeout_seconds=0.05)
    with pytest.raises(WrongState, match="expired already"):
        at(request.expires_at, partial(late, request))()
    after = whole(request)
    assert (ends_of(after), after.people, after.content) == (["expired"], request.people, request.content)


def test_late_words_and_alarms_together_end_it_once() -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=0.05)
        outcomes = race(
            at(request.expires_at, partial(says, "bob", "approve", request)),
            at(request.expires_at, fire(request)),
            at(request.expires_at, partial(says, "carol", "reject", request)),
            at(request.expires_at, fire(request)),
        )
        assert [isinstance(one, Gone) for one in outcomes] == [True, False, True, False]
        request = whole(request)
        assert ends_of(request) == ["expired"] and request.run.version == 2 and not request.votes.exists()


def left_by(request: Request) -> tuple[object, ...]:
    """What the end of a request has written, but for whose it is."""
    request = whole(request)
    parent = request.run.parent
    assert parent is not None
    return (
        list(request.run.events.values_list("kind", "data")),
        list(AuditEvent.objects.filter(workflow_id=str(request)).values_list("action", flat=True)),
        parent.messages.filter(message_id__startswith=f"look:{request.run_id}:").count(),
        request.run.commands.filter(status="ready").count(),
    )


def test_alarms_that_ring_together_end_it_once() -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=0.05)
        fired = [at(request.expires_at, fire(request))] * 4
        outcomes = race(*fired)
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
        race(*[fire(request)] * 4)
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
        race(
            at(request.next_at, partial(says, "bob", "approve", request), spread=0.04),
            at(request.next_at, fire(request)),
            at(request.next_at, partial(says, "dora", "approve", request), spread=0.04),
        )
        request = whole(request)
        if request.votes.exists():
            assert request.votes.count() == 1 and ends_of(request) == ["approved"]
        else:
            assert request.seats.get().user == account("dora") and says("dora", "approve", request).status == "approved"
