"""Withdrawing, taking back, handing on, naming people, asking, answering, being away: each as a process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals.models import Delegation, Remark, Request
from foundation.models import AuditEvent
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import asked, published
from tests.system.contract.cast import account, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
NEXT_WEEK = (datetime.now(UTC) + timedelta(days=7)).isoformat()


def view(manage: Manage, *arguments: str) -> dict[str, Any]:
    done = manage("approval", *arguments, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_question_is_taken_back_after_a_look(manage: Manage) -> None:
    asked(request_id="r1", approvers=("bob",))
    seen = manage("approval", "withdraw", "r1")
    assert seen.returncode == 2 and "it ends withdrawn" in seen.stderr and Request.objects.get().status == "pending"
    assert view(manage, "withdraw", "r1", "--note", "not needed")["status"] == "withdrawn"
    assert AuditEvent.objects.get(action="approval.withdraw").note == "not needed"
    again = manage("approval", "withdraw", "r1", "--yes")
    assert again.returncode == 1 and "withdrawn already" in again.stderr


def test_a_yes_is_taken_back(manage: Manage) -> None:
    request = asked(request_id="r1", approvers=("bob",))
    early = manage("approval", "revoke", "r1", "--yes")
    assert early.returncode == 1 and "only an approval can be revoked" in early.stderr
    says("bob", "approve", request)
    assert view(manage, "revoke", "r1")["status"] == "withdrawn"


def test_a_seat_is_handed_on_once(manage: Manage) -> None:
    asked(request_id="r1", approvers=("bob",))
    hand_on = ("delegate", "r1", "--from", "bob", "--to", "carol")
    seen = manage("approval", *hand_on)
    assert seen.returncode == 2 and "carol sits in for bob" in seen.stderr
    assert view(manage, *hand_on)["waiting_for"] == ["carol"]
    again = manage("approval", "delegate", "r1", "--from", "carol", "--to", "dora", "--yes")
    assert again.returncode == 1 and "cannot be delegated again" in again.stderr
    assert manage("approval", "delegate", "r1", "--from", "bob", "--to", "zoe").returncode == 2


def test_others_are_named(manage: Manage) -> None:
    account("vera", "viewer")
    asked(request_id="r1", approvers=("bob",))
    assert view(manage, "name-people", "r1", "carol", "dora")["waiting_for"] == ["carol", "dora"]
    refused = manage("approval", "name-people", "r1", "vera", "--yes")
    assert refused.returncode == 1 and "vera may not decide" in refused.stderr


def test_those_who_owe_an_answer_are_reminded(manage: Manage) -> None:
    asked(request_id="r1", approvers=("bob",))
    done = manage("approval", "remind", "r1", "--note", "today, please", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["waiting_for"] == ["bob"]
    row = AuditEvent.objects.get(action="approval.remind")
    assert (row.door, row.note) == ("console", "today, please")
    again = manage("approval", "remind", "r1")
    assert again.returncode == 1 and "it can be done again at" in again.stderr
    assert manage("approval", "remind", "nothing").returncode == 2


def test_questions_and_answers(manage: Manage) -> None:
    account("oscar", "operator")
    asked(request_id="r1", approvers=("bob",))
    assert manage("approval", "ask", "r1", "Why now?", "--as", "bob").returncode == 0
    done = manage("approval", "answer", "r1", "Because.", "--as", "oscar", "--json")
    assert [(one["kind"], one["name"], one["text"]) for one in json.loads(done.stdout)["remarks"]] == [
        ("question", "bob", "Why now?"), ("answer", "oscar", "Because."),
    ]  # fmt: skip
    assert manage("approval", "ask", "r1", " ", "--as", "bob").returncode == 2
    assert Remark.objects.count() == 2


def test_somebody_is_away(manage: Manage) -> None:
    published({"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob"]}}]})
    away = ("away", "bob", "--to", "carol", "--from", TOMORROW, "--until", NEXT_WEEK, "--policy", "deployment")
    seen = manage("approval", *away)
    assert seen.returncode == 2 and "carol decides for bob under deployment" in seen.stderr
    assert not Delegation.objects.exists()
    made = view(manage, *away, "--reason", "holiday")
    (row,) = Delegation.objects.all()
    assert (row.owner.get_username(), row.to.get_username(), row.policies) == ("bob", "carol", ["deployment"])
    assert made["id"] == row.pk and made["reason"] == "holiday" and row.starts_at.isoformat() == TOMORROW
    for wrong, said in (
        (("away", "bob", "--to", "carol", "--from", NEXT_WEEK, "--until", TOMORROW), "end before it begins"),
        (("away", "bob", "--to", "bob", "--from", TOMORROW, "--until", NEXT_WEEK), "its own holder"),
        ((*away[:-1], "deploiment"), "did you mean 'deployment'?"),
        (("away", "bob", "--to", "carol", "--from", "tomorrow", "--until", NEXT_WEEK), "--from 'tomorrow'"),
    ):
        done = manage("approval", *wrong, "--yes")
        assert done.returncode == 2 and said in done.stderr
    assert Delegation.objects.count() == 1
