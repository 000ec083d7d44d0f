"""Waits whose length an earlier step gives, on every engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestration.core.enums import Verb
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step


def asks(peer: Peer, **answer: Any) -> dict[str, Any]:
    """A step `a` whose output is this."""
    peer.say("/when", 200, body=json.dumps(answer).encode())
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/a"}
    action = {"type": "api_call", "method": "POST", "url": "{base}/when"}
    return step("a", forward_action=action, compensation_action=undo)


def wait(**action: Any) -> dict[str, Any]:
    return {"step_id": "w", "forward_action": {"type": "wait", **action}}


def test_a_wait_as_long_as_an_earlier_step_says(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, asks(peer, pause=1.5), wait(seconds="{a.pause}"), step("b")))
    assert run.status == "completed" and run_view(run)["warnings"] == []
    found = run.events.get(kind="step.attempt_ended", step_id="w")
    assert run.events.get(kind="timer.wait").at - found.at >= timedelta(seconds=1.4)
    assert run.events.filter(kind="step.succeeded", step_id="w").count() == 1


@pytest.mark.parametrize("seconds", [-100, 1])
def test_a_wait_until_a_time_that_an_earlier_step_gives(engine: str, peer: Peer, seconds: int) -> None:
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    run = until(start(peer, engine, asks(peer, at=due.isoformat()), wait(until="{at}"), step("b")))
    assert run.status == "completed"
    assert run.events.get(kind="step.running", step_id="b").at >= due
    assert run_view(run)["steps"][1]["output"] == {"until": due.isoformat()}


@pytest.mark.parametrize("verb", [Verb.ABORT, Verb.SKIP, Verb.FORCE_STOP])
def test_nobody_has_to_wait_for_the_end_of_a_wait(engine: str, peer: Peer, verb: Verb) -> None:
    run = start(peer, engine, asks(peer, pause=3), wait(days="{a.pause}"), step("b"))
    until(run, lambda r: r.status == "waiting")
    assert "step 'w' waits" in " ".join(why(run))
    named: dict[str, Any] = {"step_id": "w"} if verb is Verb.SKIP else {}
    act(workflow_id=run.workflow_id, verb=verb, actor=ADA, note="enough", **named)
    view = run_view(until(run))
    ends = {Verb.ABORT: "rolled_back", Verb.SKIP: "completed", Verb.FORCE_STOP: "force_stopped"}
    assert view["status"] == ends[verb] and not any("'w'" in w for w in view["warnings"] if verb is not Verb.SKIP)


@pytest.mark.parametrize("given", [{"seconds": "{a.pause}"}, {"until": "{a.pause}"}])
def test_a_value_that_is_no_time_rolls_back(engine: str, peer: Peer, given: dict[str, Any]) -> None:
    view = run_view(until(start(peer, engine, asks(peer, pause="a while"), wait(**given), step("b"))))
    assert (view["status"], view["steps"][1]["status"]) == ("rolled_back", "failed")
    assert "would be 'a while'" in view["error"] and peer.methods("DELETE") == ["/things/a"]
