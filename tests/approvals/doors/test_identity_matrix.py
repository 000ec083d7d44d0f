"""Whatever became of people's names, addresses and groups, nobody decides for themselves, by whatever door."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.requests import delegate_while_away, name_people, reassign
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from foundation.errors import ZenError
from notifications.models import Contact
from orchestration.core.enums import Verb
from orchestration.runs import act, start_run
from tests.approvals.doors.test_matrix import DOORS
from tests.approvals.doors.test_slack import SECRET
from tests.approvals.requests.test_gates_asked_anew import worked
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
SAGA: dict[str, Any] = {
    "saga_id": "paid",
    "steps": [
        {"step_id": "first", "forward_action": {"type": "approval", "approvers": ["bob"]}},
        {
            "step_id": "gate",
            "dependencies": ["first"],
            "forward_action": {"type": "approval", "approvers": ["group:leads"]},
        },
    ],
}
CHILD: dict[str, Any] = {
    "saga_id": "parent",
    "steps": [{"step_id": "child", "forward_action": {"type": "saga", "definition": SAGA}}],
}
STARTER = "Élise"


def renamed(starter: User) -> str:
    User.objects.filter(pk=starter.pk).update(username="other", email="other@example.com")
    return "other"


def name_used_again(starter: User) -> str:
    User.objects.filter(pk=starter.pk).update(username="other")
    account(STARTER, email="somebody@example.com")
    return "other"


def other_case(starter: User) -> str:
    User.objects.filter(pk=starter.pk).update(username="ÉLISE", email=starter.email.upper())
    return "ÉLISE"


def second_account(_: User) -> str:
    seated("twin", "élise+x@xn--bcher-kva.example")
    return "twin"


def named(starter: User) -> str:
    """An administrator would have them decide."""
    for gate in Request.objects.filter(step_id="gate"):
        with suppress(ZenError):
            name_people(request_id=str(gate), actor=ADA, users=[starter.username])
    return starter.username


def delegated(starter: User) -> str:
    for to in (starter, seated("twin", "élise@bücher.example")):
        delegate_while_away(
            actor=ADA, owner=account("bob"), to=to, starts_at=now() - timedelta(hours=1),
            ends_at=now() + timedelta(days=1),
        )  # fmt: skip
    return "twin"


def reassigned(starter: User) -> str:
    for gate in Request.objects.filter(step_id="gate"):
        with suppress(ZenError):
            reassign(request_id=str(gate), actor=ADA, to=starter.username, person="bob")
    return starter.username


def left_and_came_back(starter: User) -> str:
    leads = Group.objects.get(name="leads")
    for back in (False, True):
        for user in (starter, account("bob")):
            user.groups.add(leads) if back else user.groups.remove(leads)
        reconcile()
    return starter.username


def group_renamed(starter: User) -> str:
    Group.objects.filter(name="leads").update(name="heads")
    Group.objects.create(name="leads").user_set.add(starter)
    reconcile()
    return starter.username


CHANGES: dict[str, Callable[[User], str]] = {
    change.__name__: change
    for change in (
        renamed, name_used_again, other_case, second_account, named, delegated, reassigned, left_and_came_back,
        group_renamed,
    )
}  # fmt: skip


def seated(name: str, email: str = "") -> User:
    user: User = account(name, "operator", "approver", "leads", email=email)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    Contact.objects.get_or_create(user=user, defaults={"slack_id": f"U{user.pk:05}"})
    return user


def started(how: str, starter: User) -> None:
    """Up to the gate before the last one."""
    saga = CHILD if how == "child" else SAGA
    run, _ = start_run(definition=saga, actor=actor(starter), engine="celery")
    for _ in range(3):
        worked()
    if how == "restarted":
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
        worked()
        worked()
        root = account("root", "administrator")
        act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=actor(root))
        worked()
        worked()


def at_the_gate() -> Request:
    says("bob", "approve", str(Request.objects.filter(step_id="first").latest("pk")))
    for _ in range(3):
        worked()
    return Request.objects.get(step_id="gate")


OF_THE_ACCOUNT = ("renamed", "name_used_again", "other_case", "second_account")


@pytest.mark.parametrize(
    ("how", "change", "when"),
    [
        *(("started", change, "after") for change in CHANGES),
        *((how, change, "before") for how in ("started", "restarted", "child") for change in OF_THE_ACCOUNT),
    ],
)
def test_nobody_decides_for_themselves(settings: Settings, how: str, change: str, when: str) -> None:
    """The change comes before the gate is asked, or while it is open."""
    settings.ZEN_SLACK_SIGNING_SECRET = SECRET
    starter = seated(STARTER, "Élise@bücher.example")
    seated("bob"), seated("carol")
    started(how, starter)
    if when == "before":
        CHANGES[change](starter)
    gate = at_the_gate()
    who = CHANGES[change](starter) if when == "after" else next(iter(_now(change)))
    for name in {who, User.objects.get(pk=starter.pk).username}:
        for decide in DOORS.values():
            decide(name, gate, "approve")
    assert not Vote.objects.filter(request=gate).exists()
    gate.refresh_from_db()
    assert gate.status == "pending", gate.status
    assert says("carol", "approve", gate).status == "approved"


def _now(change: str) -> set[str]:
    names = {"renamed": "other", "name_used_again": "other", "other_case": "ÉLISE", "second_account": "twin"}
    return {names.get(change, "twin" if change == "delegated" else STARTER)}
