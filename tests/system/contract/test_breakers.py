"""A circuit breaker makes a step wait. It spends no attempt and fails nothing, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.outbound import circuit_breaker
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.breakers import close, opened
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step


def route(peer: Peer, method: str = "POST", path: str = "/things/a") -> str:
    return f"{method} {peer.address}{path}"


def parked(run: Run, purpose: str = "forward") -> bool:
    """Held back more than once by now, and waiting."""
    held_back = run.commands.filter(purpose=purpose, outcome="parked").count()
    return held_back > 1 and any("is parked until 20" in line for line in why(run))


def said(run: Run) -> str:
    """What `why` says of a step that is parked. It says that it runs for the moment in which it looks again."""
    found: list[str] = []

    def says(run: Run) -> bool:
        found[:] = why(run)
        return "is parked until 20" in found[0]

    until(run, says)
    return found[0]


def steps(run: Run) -> dict[str, dict[str, Any]]:
    return {step["step_id"]: step for step in run_view(run)["steps"]}


def test_a_broken_route_does_not_stop_another_of_its_host(engine: str, peer: Peer) -> None:
    """sagas/01, first half: only /things/bad is broken."""
    peer.behave("/things/bad", *[500] * 15)
    bad = step("bad", retry_count=9, backoff_seconds=0.01, backoff_limit_seconds=0.01)
    broken = start(peer, engine, bad)
    until(broken, lambda run: circuit_breaker.states().get(route(peer, path="/things/bad")) == "open")
    assert until(start(peer, engine, step("reserve"))).status == "completed"
    assert until(broken).status == "rolled_back" and len(peer.methods("POST")) == 11


def test_a_step_waits_for_the_breaker_and_its_one_attempt_is_left(engine: str, peer: Peer) -> None:
    opened(route(peer))
    run = until(start(peer, engine, step("a")), parked)
    text = said(run)
    assert text.startswith("step 'a' is parked until 20") and route(peer) in text and "no attempt is used up" in text
    assert not peer.calls and not run.finished_at
    close(route(peer))
    view = run_view(until(run))
    assert (view["status"], view["steps"][0]["attempts"], view["warnings"]) == ("completed", 1, [])
    assert peer.methods("POST") == ["/things/a"]


def test_its_retries_are_left_too(engine: str, peer: Peer) -> None:
    opened(route(peer))
    peer.behave("/things/a", 500, 500, 500)
    run = until(start(peer, engine, step("a", retry_count=2)), parked)
    close(route(peer))
    view = run_view(until(run))
    assert (view["status"], view["steps"][0]["attempts"]) == ("rolled_back", 3)
    assert peer.methods("POST") == ["/things/a"] * 3


def test_an_undo_waits_for_the_breaker_and_its_one_attempt_is_left(engine: str, peer: Peer) -> None:
    """sagas/01, second half."""
    opened(route(peer, "DELETE"))
    peer.behave("/things/b", 400)
    run = until(start(peer, engine, step("a", compensation_retry_count=0), step("b")), lambda run: parked(run, "undo"))
    text = said(run)
    assert text.startswith("the undo of step 'a' is parked until 20") and route(peer, "DELETE") in text
    assert run.status == "compensating" and not peer.methods("DELETE")
    close(route(peer, "DELETE"))
    assert until(run).status == "rolled_back"
    assert steps(run)["a"]["compensation"] == {"status": "compensated", "attempts": 1, "error": ""}
    assert peer.methods("DELETE") == ["/things/a"] and peer.things == {}


def test_a_breaker_that_a_step_names_holds_its_undo_back_as_well(engine: str, peer: Peer) -> None:
    peer.behave("/things/b", 400)
    opened("stock")
    run = until(start(peer, engine, step("a", breaker="stock"), step("b")), parked)
    assert not peer.calls and "the circuit breaker of stock is open" in said(run)
    close("stock")
    assert until(run).status == "rolled_back" and peer.things == {}


@pytest.mark.parametrize("way", ["deadline", "abort", "force-stop"])
def test_a_parked_step_can_be_given_up(engine: str, peer: Peer, way: str) -> None:
    opened(route(peer, path="/things/b"))
    more: dict[str, Any] = {"timeout_seconds": 3.0} if way == "deadline" else {}
    run = start(peer, engine, step("a"), step("b"), **more)
    if way != "deadline":
        until(run, parked)
        act(workflow_id=run.workflow_id, verb=Verb(way), actor=ADA, note="enough")
    run = until(run)
    assert run.status == ("force_stopped" if way == "force-stop" else "rolled_back")
    assert peer.methods("POST") == ["/things/a"]
    assert steps(run)["b"]["compensation"]["status"] == "not_needed"


def test_a_parked_step_can_be_held_and_goes_on_when_released(engine: str, peer: Peer) -> None:
    opened(route(peer))
    run = until(start(peer, engine, step("a")), parked)
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA)
    until(run)
    close(route(peer))
    assert run.status == "held" and not peer.calls
    act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA)
    until(run, lambda run: run.finished_at is not None)  # on Temporal its row says `held` for a moment yet
    assert run.status == "completed" and peer.methods("POST") == ["/things/a"]


def test_a_probe_that_is_held_back_asks_later(engine: str, peer: Peer) -> None:
    """The call was cut off after its effect. It is not sent again, and its one attempt is not lost."""
    opened(route(peer, "GET"))
    peer.behave("/things/a", "cut")
    probe = {"type": "api_call", "url": "{base}/things/a"}
    run = until(start(peer, engine, step("a", probe_action=probe)), parked_at_all)
    assert not run.finished_at
    close(route(peer, "GET"))
    view = run_view(until(run))
    assert (view["status"], view["steps"][0]["attempts"]) == ("completed", 1)
    assert peer.methods("POST") == ["/things/a"]


def test_what_was_sent_is_undone_when_its_probe_is_still_held_back_at_the_abort(engine: str, peer: Peer) -> None:
    opened(route(peer, "GET"))
    peer.behave("/things/a", "cut")
    probe = {"type": "api_call", "url": "{base}/things/a"}
    run = until(start(peer, engine, step("a", probe_action=probe)), parked_at_all)
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back"
    assert peer.methods("DELETE") == ["/things/a"] and peer.things == {}


def parked_at_all(run: Run) -> bool:
    return run.commands.filter(outcome="parked").exists()
