"""Past requests under a draft: real requests, really decided, and what would have come of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.core.approval.events import Resumed
from approvals.models import Request
from approvals.policies.publish import check_policy
from approvals.requests import delegate_while_away, withdraw
from approvals.requests.state.locked_request import lock_request
from approvals.simulation.replay import replayed
from approvals.simulation.replay_report import view
from foundation.db import statements
from tests.approvals.scenes import ADA, TWO_STAGES, asked, published, rung
from tests.system.contract.cast import account, actor, says

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 11, 25, 9, tzinfo=UTC)
ONE_STAGE = {"policy": "deployment", "stages": [TWO_STAGES["stages"][0]]}
Clock = Any


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as travelling:
        for name in ("bob", "carol", "dora"):
            account(name)
        account("erin", "leads")
        published(ONE_STAGE)
        yield travelling


def compared(draft: dict[str, Any], **more: Any) -> dict[str, Any]:
    policy = check_policy(draft)
    return view(policy, list(replayed(policy=policy, **more)))


def only(draft: dict[str, Any]) -> dict[str, Any]:
    (row,) = compared(draft)["requests"]
    return row  # type: ignore[no-any-return]


def test_under_the_same_policy_nothing_differs(clock: Clock) -> None:
    yes, no, withdrawn, silent = (asked(request_id=f"r{number}") for number in range(4))
    clock.shift(timedelta(hours=2))
    says("bob", "approve", yes)
    says("carol", "reject", no)
    withdraw(request_id=str(withdrawn), actor=ADA)
    clock.move_to(START + timedelta(days=4))
    rung(silent.run_id, START + timedelta(days=4))
    found = compared(ONE_STAGE)
    assert [(row["request_id"], row["was"]["status"], row["would"]["status"]) for row in found["requests"]] == [
        ("r3", "expired", "expired"), ("r2", "withdrawn", "withdrawn"), ("r1", "rejected", "rejected"),
        ("r0", "approved", "approved"),
    ]  # fmt: skip
    assert (found["count"], found["differing"]) == (4, 0)
    assert not any(row["why"] for row in found["requests"])


def test_a_draft_that_needs_more_people_would_still_have_waited(clock: Clock) -> None:
    request = asked()
    clock.shift(timedelta(hours=2))
    says("bob", "approve", request)
    row = only(TWO_STAGES)
    assert row["differs"] and row["was"] == {
        "status": "approved", "at": "2026-11-25T11:00:00+00:00", "words": "",
    }  # fmt: skip
    assert row["would"] == {
        "status": "expired", "at": "2026-11-27T11:00:00+00:00", "words": "nobody decided in time",
        "waiting_for": ["erin"],
    }  # fmt: skip
    assert row["why"] == ["it would still have waited for erin; what follows is what the clocks do alone"]


def test_a_word_of_somebody_whom_the_draft_does_not_ask_does_not_count(clock: Clock) -> None:
    request = asked()
    says("carol", "reject", request)
    draft = {"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}
    row = only(draft)
    assert row["differs"] and row["would"]["status"] == "expired" and row["would"]["waiting_for"] == ["bob"]
    assert "carol's reject would not have counted: this person is not among" in row["why"][0]


def test_the_drafts_rule_a_shorter_clock_and_a_request_that_it_would_refuse(clock: Clock) -> None:
    request = asked(context={"size": 1})
    clock.shift(timedelta(hours=3))
    says("bob", "approve", request)
    assert only({**ONE_STAGE, "auto_approve": "request.context.size < 2"})["would"] == {
        "status": "approved", "at": "2026-11-25T09:00:00+00:00", "words": "by the policy's rule", "waiting_for": [],
    }  # fmt: skip
    hasty = {"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob"]}, "expire": "1h"}]}
    row = only(hasty)
    assert (row["would"]["status"], row["would"]["at"]) == ("expired", "2026-11-25T10:00:00+00:00") and row["differs"]
    account("frank", "viewer", "idle")
    row = only({"policy": "deployment", "stages": [{"name": "s", "who": {"groups": ["idle"]}}]})
    assert row["would"]["status"] == "refused" and "nobody can decide stage 's'" in row["why"][0] and row["differs"]


def test_who_asked_is_barred_under_the_draft_too_and_a_deputy_still_counts(clock: Clock) -> None:
    carol = account("carol", "operator", "approver")
    bob, dora = account("bob"), account("dora")
    delegate_while_away(actor=ADA, owner=bob, to=dora, starts_at=START, ends_at=START + timedelta(days=1))
    request = asked(actor=actor(carol))
    says("dora", "approve", request)
    assert not only(ONE_STAGE)["differs"]
    row = only({"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["carol", "erin"]}}]})
    assert row["would"]["waiting_for"] == ["erin"]


def test_which_requests_are_replayed(clock: Clock) -> None:
    for number in range(4):
        clock.move_to(START + timedelta(days=number))
        request = asked(request_id=f"r{number}") if number % 2 else asked(request_id=f"r{number}", approvers=("bob",))
        says("bob", "approve", request)
    asked(request_id="open")

    def handles(**more: Any) -> list[str]:
        return [row["request_id"] for row in compared(ONE_STAGE, **more)["requests"]]

    assert handles() == ["r3", "r2", "r1", "r0"]
    assert handles(of="deployment") == ["r3", "r1"]
    assert handles(since=START + timedelta(days=2)) == ["r3", "r2"]
    assert handles(limit=1) == ["r3"]


def test_nothing_is_written(clock: Clock) -> None:
    says("bob", "approve", asked())
    before = list(Request.objects.values())
    with CaptureQueriesContext(connection) as queries:
        assert compared(TWO_STAGES)["count"] == 1
    assert len(queries) > 0
    assert [query["sql"] for query in queries if not query["sql"].lstrip("( ").upper().startswith("SELECT")] == []
    assert list(Request.objects.values()) == before


def test_what_was_given_back_is_given_back_under_the_draft_too(clock: Clock) -> None:
    request = asked(request_id="r0")
    up, down = START + timedelta(days=5), START + timedelta(days=1)
    with statements.writing():
        lock_request(request.run_id).apply(Resumed(at=up, since=down, until=up))
    clock.move_to(START + timedelta(days=6))
    says("bob", "approve", request)
    row = only(ONE_STAGE)
    assert (row["would"]["status"], row["differs"]) == ("approved", False), "two days were left of three"
