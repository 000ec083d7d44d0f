"""However a request ends, and whatever a clock makes of it, its audit says so, and its receipt says the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from approvals.core.approval.events import Cancelled, ClockReached, Delivered
from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import problems
from approvals.models import Request
from approvals.requests import name_people, resubmit, revoke, withdraw
from approvals.requests.state.locked_request import lock_request
from foundation.audit.verify import verify
from foundation.clock import now
from foundation.db import statements
from foundation.errors import WrongState
from foundation.models import AuditEvent
from tests.approvals.scenes import ADA, asked, published
from tests.foundation.audit.scenes import tamper
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
LATER = timedelta(days=30)


def request_of(*stages: dict[str, Any], **policy: Any) -> Request:
    """Bob decides the first stage, Carol the second."""
    named = [
        {"name": f"s{number}", "who": {"users": [("bob", "carol")[number]]}, "expire": "1d", **stage}
        for number, stage in enumerate(stages)
    ]
    published({"policy": "deployment", "stages": named, **policy})
    return asked()


def fire(request: Request) -> None:
    with statements.writing():
        lock_request(request.run_id).apply(ClockReached(at=now() + LATER))


def in_silence(request: Request) -> None:
    """Bob has heard of it, and says nothing."""
    with statements.writing():
        lock_request(request.run_id).apply(Delivered(at=now(), person=f"user:{account('bob').pk}"))
    fire(request)


def cancel(request: Request) -> None:
    with statements.writing():
        lock_request(request.run_id).apply(Cancelled(at=now(), why="the run is gone"), by="ada")


def rows(request: Request) -> list[str]:
    found = AuditEvent.objects.filter(workflow_id=str(request)).order_by("seq").values_list("action", flat=True)
    return [action.removeprefix("approval.") for action in found]


ENDS: dict[str, tuple[dict[str, Any], Callable[[Request], object], tuple[str, str, str], list[str]]] = {
    "vote": ({}, lambda r: says("bob", "reject", r, "no"), ("rejected", "rejected", "bob"), ["reject"]),
    "expiry": ({}, fire, ("expired", "nobody decided in time", ""), []),
    "silence": (
        {"at_the_end": "approve"}, in_silence, ("approved", "by silence, as the policy says", ""),
        ["passed-by-silence"],
    ),
    "withdrawn": (
        {}, lambda r: withdraw(request_id=str(r), actor=ADA), ("withdrawn", "withdrawn", "ada"), ["withdraw"],
    ),
    "cancelled": ({}, cancel, ("cancelled", "the run is gone", "ada"), []),
}  # fmt: skip


@pytest.mark.parametrize("way", ENDS)
def test_each_end_has_its_row(way: str) -> None:
    stage, end, said, acts = ENDS[way]
    request = request_of(stage)
    end(request)
    request = Request.objects.get(pk=request.pk)
    assert rows(request) == ["ask", *acts, "ended"] and verify(chain=str(request)).is_whole
    row = AuditEvent.objects.get(action="approval.ended")
    assert (row.data["status"], row.data["words"], row.data["decided_by"]) == said and row.data["round"] == 1
    assert (row.actor, row.door, row.data["content"]) == ("approvals", "engine", request.shown_hash)
    made = receipt(request)
    assert problems(made) == [] and made["request"]["decided_at"] == row.data["decided_at"]


def test_the_policys_own_rule_ends_it_in_the_audit_too() -> None:
    request = request_of({}, auto_approve="true")
    assert request.status == "approved" and rows(request) == ["ask", "ended"]
    assert problems(receipt(request)) == []


def test_a_yes_that_is_taken_back_ends_it_once_more() -> None:
    request = request_of({})
    says("bob", "approve", request)
    revoke(request_id=str(request), actor=ADA)
    assert rows(request) == ["ask", "approve", "ended", "revoke", "ended"]
    made = receipt(Request.objects.get())
    assert problems(made) == [] and made["request"]["status"] == "withdrawn"


def test_a_yes_that_can_be_objected_to_is_there_before_it_holds() -> None:
    request = request_of({}, cooling_off="1h")
    says("bob", "approve", request)
    assert rows(request) == ["ask", "approve", "cooling-off"]
    fire(request)
    assert rows(request) == ["ask", "approve", "cooling-off", "ended"]
    decided = AuditEvent.objects.filter(data__has_key="decided_at").values_list("data__decided_at", flat=True)
    assert len(set(decided)) == 1 and problems(receipt(Request.objects.get())) == []


def test_an_escalation_says_whom_it_asked() -> None:
    levels = [{"after": f"{hours}h", "to": {"users": [name]}} for hours, name in ((1, "carol"), (2, "dora"))]
    request = request_of({"escalate": levels, "at_the_end": "hold"})
    fire(request)
    assert rows(request) == ["ask", "escalated", "escalated", "rescue"]
    told = AuditEvent.objects.filter(action="approval.escalated").order_by("seq").values_list("data", flat=True)
    people = {info["name"]: person for person, info in request.people.items()}
    assert list(told) == [
        {"stage": "s0", "level": 1, "people": [people["carol"]]},
        {"stage": "s0", "level": 2, "people": [people["dora"]]},
    ]
    account("emil")
    name_people(request_id=str(request), actor=ADA, users=["emil"])
    says("emil", "approve", request)
    assert rows(request)[4:] == ["name-people", "approve", "ended"]
    assert problems(receipt(Request.objects.get())) == []


def test_a_stage_that_silence_passed_is_told_from_one_that_people_passed() -> None:
    request = request_of({"at_the_end": "approve"}, {})
    in_silence(request)
    assert rows(request) == ["ask", "passed-by-silence"]
    says("carol", "approve", request)
    assert rows(request) == ["ask", "passed-by-silence", "approve", "ended"]
    assert problems(receipt(Request.objects.get())) == []


def test_a_new_round_may_bar_its_author_and_the_receipt_is_genuine() -> None:
    request = request_of({"who": {"users": ["bob", "carol"]}})
    says("bob", "request-changes", request, "too small")
    oli = account("oli", "administrator")
    resubmit(request_id=str(request), actor=actor(oli), context={"size": 2})
    says("carol", "approve", request)
    made = receipt(Request.objects.get())
    first = made["audit"][0]["data"]
    assert f"user:{oli.pk}" in made["plan"]["barred"] and f"user:{oli.pk}" not in first["barred"]
    assert problems(made) == []


def test_a_request_of_an_older_release_has_no_receipt_and_breaks_nothing() -> None:
    request = says("bob", "approve", request_of({}))
    tamper("DELETE FROM orchestration_auditevent WHERE action = 'approval.ended'")
    with pytest.raises(WrongState, match="there is no receipt: how it ended is not what the audit has"):
        receipt(request)
