"""Whose a request is that a child run asks: of whoever started the run at the head of its family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db.models import QuerySet

from approvals.models import Request
from approvals.queries.inbox import asked_by
from approvals.requests import withdraw
from foundation.errors import NotAllowed
from foundation.identity.actor import Actor
from notifications.models import Delivery
from orchestration.models import Run
from orchestration.runs import start_run
from tests.support.peer import Peer
from tests.system.contract.cast import account, actor, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, step
from tests.system.contract.test_gates import asked, gate


@pytest.fixture(autouse=True)
def erin(transactional_db: None) -> Any:
    account("bob")
    account("carol")
    return account("erin", "operator", "approver")


def inside(saga: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """A step that runs these as a child."""
    definition = {"saga_id": saga, "context": {"base": "{base}"}, "steps": list(steps)}
    action = {"type": "saga", "definition": definition, "context": {"base": "{base}"}}
    return {"step_id": f"run-{saga}", "forward_action": action}


def begun(peer: Peer, engine: str, by: Actor, *steps: dict[str, Any]) -> Run:
    definition = {"saga_id": "head", "steps": list(steps), "context": {"base": peer.url}}
    return start_run(definition=definition, actor=by, engine=engine)[0]


def request_below(head: Run) -> Request:
    until(head, lambda run: run.finished_at is not None or Request.objects.exists())
    return asked(Run.objects.get(workflow_id=Request.objects.get().about))


def told(person: Any, kind: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(user=person, notice__kind=f"approval.{kind}")


def test_it_is_theirs_however_deep(engine: str, peer: Peer, erin: Any) -> None:
    head = begun(peer, engine, actor(erin), step("a"), inside("mid", inside("leaf", gate(), step("b"))))
    request = request_below(head)
    assert request.about.startswith(head.workflow_id) and request.about != head.workflow_id
    assert (request.requester, request.requester_person) == ("erin", f"user:{erin.pk}")
    assert list(asked_by(erin)) == [request]
    with pytest.raises(NotAllowed):
        says("erin", "approve", request)
    says("bob", "request-changes", request, "for which customer?")
    assert told(erin, "changes_requested").exists()
    withdraw(request_id=request.request_id, actor=actor(erin), note="not needed")
    assert until(head).status == "rolled_back" and peer.things == {}


def test_of_an_agent_it_is_as_in_a_run_of_its_own(engine: str, peer: Peer, erin: Any) -> None:
    agent = account("robot", "operator")
    by = replace(actor(agent), owner="erin", owner_id=erin.pk)
    request = request_below(begun(peer, engine, by, inside("leaf", gate())))
    assert (request.requester, request.requester_person) == ("robot", f"user:{agent.pk}")
    with pytest.raises(NotAllowed):
        says("erin", "approve", request)


def test_without_an_account_it_is_of_the_name(engine: str, peer: Peer) -> None:
    request = request_below(begun(peer, engine, ADA, inside("leaf", gate())))
    assert (request.requester, request.requester_person) == (ADA.name, "")


def test_what_is_open_keeps_whose_it_is(engine: str, peer: Peer, erin: Any) -> None:
    """Such as one of a release before, which an attempt that looks again finds."""
    head = begun(peer, engine, actor(erin), inside("leaf", gate(), step("b")))
    request = request_below(head)
    Request.objects.filter(pk=request.pk).update(requester="run head", requester_person="")
    says("bob", "approve", request)
    assert until(head).status == "completed"
    request = Request.objects.get()
    assert (request.requester, request.requester_person) == ("run head", "")
