"""Whoever still owes an answer is reminded by hand: by whom, whom it reaches, and how often."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from approvals.core.approval.timers import NUDGE_PAUSE
from approvals.models import Request
from approvals.requests import remind, resubmit, withdraw
from foundation.clock import now
from foundation.errors import NotAllowed, TooSoon, WrongState
from foundation.models import AuditEvent
from notifications.models import Delivery
from tests.approvals.scenes import asked
from tests.system.contract.cast import account, actor, says
from tests.system.races.scenes import opened, race, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def question(**more: Any) -> Request:
    for name in ("bob", "carol"):
        account(name)
    ada = account("ada", "operator")
    given: dict[str, Any] = {"approvers": ("bob", "carol"), "how_many": "all", **more}
    return asked("s", actor=actor(ada), description="?", **given)


def by(name: str, request: Request, note: str = "") -> Request:
    return remind(request_id=str(request), actor=actor(account(name, *ROLES.get(name, ()))), note=note)


ROLES = {"ada": ("operator",), "olga": ("operator",), "vera": ("viewer",), "boss": ("administrator",)}


def reminded(request: Request, *, ago: timedelta) -> None:
    """As if the last reminder by hand had been so long ago, for the database's clock as well."""
    row = Request.objects.get(pk=request.pk)
    Request.objects.filter(pk=row.pk).update(state=row.state | {"nudged_at": (now() - ago).isoformat()})


def told(kind: str = "approval.reminder", **which: object) -> list[str]:
    rows = Delivery.objects.filter(notice__kind=kind, **which).order_by("notice_id", "person_name")
    return list(rows.values_list("person_name", flat=True))


@pytest.mark.parametrize("name", ["ada", "olga", "boss"])
def test_those_who_have_not_decided_are_told_again(name: str) -> None:
    request = question()
    says("bob", "approve", request)
    by(name, request, note="the window closes at ten")
    assert told() == ["carol"]
    row = AuditEvent.objects.get(action="approval.remind")
    assert (row.actor, row.workflow_id, row.note) == (name, str(request), "the window closes at ten")
    (fact,) = request.run.events.filter(kind="approval.event.reminded")
    assert fact.data == {"by": name} and whole(request).status == "pending"


@pytest.mark.parametrize("name", ["vera", "bob"])
def test_others_remind_nobody(name: str) -> None:
    request = question()
    with pytest.raises(NotAllowed, match=f"{name} may not"):
        by(name, request)
    assert told() == [] and not AuditEvent.objects.filter(action="approval.remind").exists()


def test_it_is_done_once_in_ten_minutes_whoever_does_it() -> None:
    request = question()
    by("ada", request)
    reminded(request, ago=NUDGE_PAUSE - timedelta(seconds=90))
    with pytest.raises(TooSoon, match="reminded a moment ago") as refused:
        by("olga", request)
    assert 60 < refused.value.retry_after <= 90 and len(told()) == 2
    reminded(request, ago=NUDGE_PAUSE)
    by("olga", request)
    assert told() == ["bob", "carol", "bob", "carol"]
    assert AuditEvent.objects.filter(action="approval.remind").count() == 2


def test_two_who_remind_at_once_are_one() -> None:
    for _ in range(5):
        account("bob"), account("carol")
        request = opened(approvers=("bob",))
        outcomes = race(*[partial(by, name, request) for name in ("olga", "boss")])
        assert sum(isinstance(one, TooSoon) for one in outcomes) == 1
        assert len(told(notice__subject=f"approval:{request.pk}")) == 1 and whole(request).status == "pending"


def test_who_was_told_often_enough_is_told_no_more(settings: Settings) -> None:
    settings.ZEN_NOTIFY_CAP = 2
    request = question()
    for _ in range(3):
        by("ada", request)
        reminded(request, ago=NUDGE_PAUSE)
    assert told(status=Delivery.QUEUED) == ["bob", "carol"], "asked, reminded once, and then enough"
    assert told(status=Delivery.CANCELLED) == ["bob", "carol"] * 2


def test_whoever_has_the_word_is_the_one_who_is_told() -> None:
    request = question()
    says("bob", "request-changes", request)
    with pytest.raises(WrongState, match="it waits for you"):
        by("ada", request)
    by("olga", request)
    assert told("approval.changes_requested") == ["ada", "ada"]
    resubmit(request_id=str(request), actor=actor(account("ada", "operator")), description="better")
    account("boss", "administrator")
    for name in ("bob", "carol"):
        says(name, "abstain", request)
    assert whole(request).status == "rescue" and told("approval.rescue") == ["boss"]
    reminded(request, ago=NUDGE_PAUSE)
    by("ada", request)
    assert told("approval.rescue") == ["boss", "boss"] and told() == []


def test_what_is_over_is_nobodys_to_answer() -> None:
    request = question()
    by("ada", request)
    withdraw(request_id=str(request), actor=actor(account("ada", "operator")))
    with pytest.raises(WrongState, match="withdrawn already"):
        by("ada", request)
    late = question(timeout_seconds=0.01)
    assert late.expires_at is not None
    while now() <= late.expires_at:
        threading.Event().wait(0.005)
    with pytest.raises(WrongState, match="expired already"):
        by("ada", late)
    assert whole(late).status == "expired", "a reminder that comes too late ends it, as a word does"
