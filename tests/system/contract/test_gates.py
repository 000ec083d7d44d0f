"""Steps that need a yes, on every engine: nothing passes a gate without a row that says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db.models import QuerySet

from approvals.models import Request, Vote
from approvals.requests import publish_policy
from foundation.errors import WrongState
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

TOLD = {"of": "{gate.answers.ticket}", "wave": "{gate.answers.wave}"}


def gate(name: str = "gate", **more: Any) -> dict[str, Any]:
    action = {"type": "approval", "approvers": ["bob", "carol"], "description": "Go on?", **more}
    return {"step_id": name, "forward_action": action}


def asked(run: Run) -> Request:
    """The request that the run waits for, once it does."""
    until(run, lambda r: r.finished_at is not None or (r.status == "waiting" and _requests(r).exists()))
    assert not run.finished_at, run_view(run)["error"]
    return _requests(run).latest("pk")


def _requests(run: Run) -> QuerySet[Request]:
    return Request.objects.filter(about=run.workflow_id)


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    account("bob")
    account("carol")


def test_a_yes_lets_the_run_go_on(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate(context={"made": "{a.id}"}), step("b"))
    request = asked(run)
    assert peer.things.keys() == {"/things/a"} and request.content["context"] == {"made": peer.things["/things/a"]}
    assert f"approval '{request}' waits for bob, carol" in " ".join(why(run))
    assert [step["error"] for step in run_view(run)["steps"]] == ["", "", ""], "to wait is no error"
    says("bob", "approve", request)
    view = run_view(until(run))
    assert (view["status"], view["warnings"]) == ("completed", []) and "/things/b" in peer.things
    assert view["steps"][1]["output"]["approvers"] == ["bob"]
    request.refresh_from_db()
    assert request.spent_by.endswith(":gate:forward:1") and request.run.status == "completed"


def test_a_no_rolls_back(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate(), step("b"))
    says("carol", "reject", asked(run), "not on a Friday")
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "rejected") and peer.things == {}
    assert "not on a Friday" in view["error"] and "/things/b" not in peer.methods("POST")


def test_nobody_answering_is_a_no(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate(timeout_seconds=1), step("b"))
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "timed_out") and peer.things == {}
    assert Request.objects.get().status == "expired" and not Vote.objects.exists()


def test_an_abort_takes_the_question_back(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate(), step("b"))
    request = asked(run)
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back" and peer.things == {}
    until(request.run, lambda r: r.finished_at is not None)
    with pytest.raises(WrongState, match="cancelled already"):
        says("bob", "approve", request)


def test_a_step_is_done_with_what_was_approved(engine: str, peer: Peer) -> None:
    deploy = step("deploy", approval={"approvers": ["bob"], "editable": ["action.payload.replicas"]})
    deploy["forward_action"]["payload"] = {"replicas": 9}
    run = start(peer, engine, deploy)
    request = asked(run)
    assert request.content["action"]["payload"] == {"replicas": 9} and peer.things == {}
    says("bob", "approve", request, edits={"action.payload.replicas": 3})
    assert until(run).status == "completed" and json.loads(peer.bodies[-1]) == {"replicas": 3}


def test_what_was_answered_goes_to_the_steps_after(engine: str, peer: Peer) -> None:
    form = [{"name": "ticket"}, {"name": "wave", "type": "integer"}]
    publish_policy(data={"policy": "f", "stages": [{"name": "s", "who": {"users": ["bob"]}, "form": form}]}, actor=ADA)
    asks = {"step_id": "gate", "forward_action": {"type": "approval", "policy": "f", "description": "Go on?"}}
    tell = {"type": "api_call", "method": "POST", "url": f"{peer.url}/things/b", "payload": TOLD}
    run = start(peer, engine, asks, {"step_id": "b", "dependencies": ["gate"], "forward_action": tell})
    says("bob", "approve", asked(run), answers={"ticket": "CHG-1", "wave": "2"})
    assert until(run).status == "completed" and json.loads(peer.bodies[-1]) == {"of": "CHG-1", "wave": 2}


def test_no_step_behind_two_gates_runs_after_one(engine: str, peer: Peer) -> None:
    run = start(peer, engine, gate("one"), {**gate("two"), "dependencies": []}, step("b", ["one", "two"]))
    until(run, lambda _: Request.objects.count() == 2)
    one, two = Request.objects.order_by("step_id")
    says("bob", "approve", one)
    until(run, lambda r: r.events.filter(kind="step.succeeded", step_id="one").exists())
    assert until(run, lambda r: r.status == "waiting") and peer.things == {}
    says("bob", "approve", two)
    assert until(run).status == "completed" and "/things/b" in peer.things


def test_a_chain_of_two_stages(engine: str, peer: Peer) -> None:
    account("dora", "leads")
    stages = [
        {"name": "peers", "who": {"users": ["bob", "carol"]}, "how_many": "all"},
        {"name": "leads", "who": {"groups": ["leads"]}},
    ]
    publish_policy(data={"policy": "deployment", "stages": stages}, actor=ADA)
    run = start(peer, engine, {"step_id": "gate", "forward_action": {"type": "approval", "stage": "deployment"}})
    request = asked(run)
    for name in ("bob", "carol", "dora"):
        request = says(name, "approve", request)
    assert request.status == "approved" and until(run).status == "completed"


def test_an_escalation_adds_people(engine: str, peer: Peer) -> None:
    account("dora")
    stage = {
        "name": "s",
        "who": {"users": ["bob"]},
        "escalate": [{"after": 1, "to": {"users": ["dora"]}, "authority": "add"}],
    }
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    run = start(peer, engine, {"step_id": "gate", "forward_action": {"type": "approval", "policy": "p"}})
    request = asked(run)
    until(request.run, lambda r: r.events.filter(kind="approval.escalated").exists())
    says("dora", "approve", request)
    assert until(run).status == "completed"


def test_a_gate_cannot_be_skipped(engine: str, peer: Peer) -> None:
    run = start(peer, engine, gate(), step("b"))
    request = asked(run)
    with pytest.raises(WrongState, match="cannot be skipped"):
        act(workflow_id=run.workflow_id, verb=Verb.SKIP, actor=ADA, step_id="gate")
    says("bob", "approve", request)
    assert until(run).status == "completed"
