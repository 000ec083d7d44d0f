"""Changes that are requested at a gate: its step is done again with the words, and the same request asks anew."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.requests.open_request import ask
from approvals.requests.state.inconsistencies import orphaned
from foundation.errors import BadInput, WrongState
from orchestration.models import AgentAttempt, Run
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.contract.test_agents import _tidy, asking, endpoint
from tests.system.contract.test_agents import start as start_agents
from tests.system.contract.test_agents_ask import files

__all__ = ["_tidy"]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    account("bob")


def gate(of: str, **more: Any) -> dict[str, Any]:
    action = {"type": "approval", "approvers": ["bob"], "description": "Good?", "rework": of, **more}
    return {"step_id": "gate", "forward_action": action}


def asked(run: Run, round_: int = 1) -> Request:
    found = Request.objects.filter(about=run.workflow_id)

    def there() -> bool:
        run.refresh_from_db()
        assert run.finished_at is None, run_view(run)["error"]
        return run.status == "waiting" and found.filter(status="pending", round=round_).exists()

    wait_until(there, lambda: (run.status, list(found.values_list("request_id", "status", "round"))))
    return found.get()


def test_the_step_is_done_again_and_the_same_request_asks_about_what_came_of_it(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate("a", context={"made": "{a.id}"}), step("b"))
    request = asked(run)
    says("bob", "request-changes", request, "not this one")
    request = asked(run, 2)
    assert len(request.earlier) == 1 and peer.methods("POST").count("/things/a") == 2, "done again, and shown again"
    says("bob", "approve", request)
    view = run_view(until(run))
    assert view["status"] == "completed", view["error"]
    done = run.commands.filter(kind="run_action", iteration=2).values_list("step_id", flat=True)
    assert set(done) == {"a", "gate", "b"}


def test_words_that_come_before_the_gates_own_attempt_has_ended_are_heard(
    engine: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def at_once(**given: Any) -> tuple[Request, bool]:
        found = ask(**given)
        if not said:
            said.append(str(found[0]))
            says("bob", "request-changes", found[0], "not this one")
        return found

    monkeypatch.setattr("approvals.gate.ask", at_once)
    run = start(peer, engine, step("a"), gate("a", context={"made": "{a.id}"}))
    request = asked(run, 2)
    assert str(request) == said[0] and peer.methods("POST").count("/things/a") == 2
    says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]
    assert Request.objects.count() == 1 and not run.commands.filter(status="running").exists()


def test_what_is_followed_by_work_that_goes_on_is_not_done_again_before_that_has_ended(engine: str, peer: Peer) -> None:
    peer.hold("POST", "/things/c")
    run = start(peer, engine, step("a"), gate("a"), step("c", dependencies=["a"]))
    found = Request.objects.filter(about=run.workflow_id)
    wait_until(lambda: peer.at_once == 1 and found.exists(), lambda: run_view(run)["steps"])
    wait_until(lambda: run.commands.filter(step_id="c", status="running").exists(), lambda: run_view(run)["steps"])
    with pytest.raises(WrongState, match="'c', which comes after 'a', is at work"):
        says("bob", "request-changes", found.get(), "not this one")
    assert found.get().status == "pending" and not found.get().votes.exists()
    peer.let_go()
    request = asked(run)
    wait_until(lambda: run_view(run)["steps"][2]["status"] == "succeeded", lambda: run_view(run)["steps"])
    says("bob", "request-changes", request, "not this one")
    says("bob", "approve", asked(run, 2))
    assert until(run).status == "completed" and peer.methods("POST").count("/things/c") == 2


def test_an_agent_goes_on_from_what_it_had_done_with_the_words(engine: str) -> None:
    endpoint("one")
    run = start_agents(engine, asking("Write a parser"), gate("a", context={"commit": "{a.commit}"}))
    request = asked(run)
    before = request.content["context"]["commit"]
    says("bob", "request-changes", request, "call it a tokenizer")
    request = asked(run, 2)
    now = request.content["context"]["commit"]
    assert now != before and "call it a tokenizer" in files(run, now)
    says("bob", "approve", request)
    assert until(run).status == "completed"
    assert [(row.iteration, row.verdict) for row in AgentAttempt.objects.order_by("id")] == [(1, "done"), (2, "done")]


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_another_commit_voids_a_yes_that_is_not_spent(engine: str, peer: Peer) -> None:
    """Two people decide; between their words the content becomes another one."""
    account("carol")
    people = gate("a", context={"made": "{a.id}"}, approvers=["bob", "carol"], how_many="all")
    run = start(peer, engine, step("a"), people, step("b"))
    request = asked(run)
    says("bob", "approve", request)
    says("carol", "request-changes", request, "another")
    request = asked(run, 2)
    assert request.votes.filter(round=2).count() == 0, "bob's yes was to the content of the first round"
    says("carol", "approve", request)
    assert request.run.finished_at is None and "/things/b" not in peer.things
    says("bob", "approve", request)
    assert until(run).status == "completed"


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_words_are_needed_and_five_rounds_are_enough(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate("a", context={"made": "{a.id}"}))
    with pytest.raises(BadInput, match="there are none"):
        says("bob", "request-changes", asked(run), " ")
    for number in range(1, 6):
        says("bob", "request-changes", asked(run, number), f"again {number}")
        assert not orphaned().exists(), "while it is reworked nobody takes the request back"
    with pytest.raises(BadInput, match="reworked 5 times"):
        says("bob", "request-changes", asked(run, 6), "once more")
    says("bob", "reject", asked(run, 6), "enough")
    assert (until(run).status, run.cause) == ("rolled_back", "rejected") and peer.things == {}


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_rounds_of_earlier_requests_count(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), gate("a", context={"made": "{a.id}"}, reworked=4))
    says("bob", "request-changes", asked(run), "again")
    with pytest.raises(BadInput, match="reworked 5 times"):
        says("bob", "request-changes", asked(run, 2), "once more")
    says("bob", "approve", asked(run, 2))
    assert until(run).status == "completed"
    with pytest.raises(BadInput, match=r"forward_action\.reworked.*there is none"):
        start(peer, engine, step("a"), gate("a", rework=None, reworked=4))


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_what_goes_on_beside_the_gate_is_not_disturbed(engine: str, peer: Peer) -> None:
    peer.hold("POST", "/things/slow")
    slow = step("slow", after=[])
    run = start(
        peer, engine, step("a", after=[]), slow, {**gate("a", context={"made": "{a.id}"}), "dependencies": ["a"]}
    )
    found = Request.objects.filter(about=run.workflow_id)
    wait_until(
        lambda: found.filter(status="pending").exists() and run.commands.filter(outcome="parked").exists(), "asked"
    )
    says("bob", "request-changes", found.get(), "another")
    wait_until(lambda: found.filter(status="pending", round=2).exists(), "asked anew")
    says("bob", "approve", found.get())
    peer.let_go()
    assert until(run).status == "completed"
    assert run.commands.filter(kind="run_action", step_id="slow").count() == 1
