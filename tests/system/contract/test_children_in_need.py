"""A child that needs a person: its parent says so, and what stands in the child is never lost, on every engine."""

from __future__ import annotations

from typing import Any

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.descendants import is_stuck
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

UNDO_X = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/x"}


def family(peer: Peer, engine: str, *in_child: dict[str, Any], after: str = "z", depth: int = 1) -> Run:
    """A saga with a child (of a child, …) whose step x cannot be undone."""
    steps = [step("x", compensation_action=UNDO_X), *in_child]
    peer.behave("/undo/x", *[403] * 9)
    for level in range(depth):
        child = {"saga_id": f"child{level}", "steps": steps, "context": {"base": peer.url}}
        steps = [{"step_id": "kid", "forward_action": {"type": "saga", "definition": child}}]
    return start(peer, engine, *steps, step(after))


def in_need(run: Run, depth: int = 1) -> Run:
    """The run at that depth below, once it needs a person."""
    handle = run.workflow_id + ".kid.1" * depth
    until(run, lambda _: Run.objects.filter(workflow_id=handle, status="needs_attention").exists())
    return Run.objects.get(workflow_id=handle)


def answered(run: Run, step_id: str, answer: str) -> None:
    act(workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id=step_id, answer=answer, note="seen to", actor=ADA)


def test_a_parent_says_which_child_needs_a_person_and_for_what(engine: str, peer: Peer) -> None:
    peer.behave("/things/z", 422)
    run = family(peer, engine, depth=2)
    child = in_need(run, 2)
    until(run, lambda r: r.status == "compensating")
    told = "\n".join(why(run))
    assert f"child run '{child.workflow_id}' (needs_attention): step 'x': its compensation failed" in told
    assert "done-by-hand" in told and is_stuck(run)
    answered(child, "x", "done-by-hand")
    view = run_view(until(run, lambda r: r.finished_at is not None))
    assert (view["status"], not is_stuck(run)) == ("rolled_back", True)
    assert view["warnings"] == [f"child run '{child.workflow_id}': step 'x' was undone by hand"]


def test_a_child_held_on_its_way_forward_is_named_too(engine: str, peer: Peer) -> None:
    peer.behave("/things/y", 422)
    run = family(peer, engine, step("p", undo=False, pivot=True), step("y"))
    until(run, lambda r: Run.objects.filter(workflow_id=f"{r.workflow_id}.kid.1", status="held").exists())
    told = "\n".join(why(run))
    assert is_stuck(run) and "(held): step 'y' is failed and blocks the run; retry or skip it" in told
    act(workflow_id=f"{run.workflow_id}.kid.1", verb=Verb.RETRY, step_id="y", actor=ADA)
    assert until(run).status == "completed"


def test_a_loss_in_the_child_is_one_in_the_parent(engine: str, peer: Peer) -> None:
    peer.behave("/things/z", 422)
    run = family(peer, engine)
    answered(in_need(run), "x", "accept-loss")
    until(run, lambda r: r.status == "needs_attention")
    said = run_view(run)["steps"][0]["compensation"]
    assert said["status"] == "compensation_failed" and "ended rollback_incomplete" in said["error"]
    assert "step 'x' still stands" in said["error"] and "step 'x' still stands" in "\n".join(why(run))
    answered(run, "kid", "accept-loss")
    view = run_view(until(run, lambda r: r.finished_at is not None))
    assert view["status"] == "rollback_incomplete"
    assert any("child run" in line and "'x' still stands" in line for line in view["warnings"])


def test_a_child_that_failed_and_left_something_is_no_clean_failure(engine: str, peer: Peer) -> None:
    peer.behave("/things/y", 422)
    run = family(peer, engine, step("y"))
    answered(in_need(run), "x", "accept-loss")
    until(run, lambda r: r.status == "needs_attention")
    kid = run_view(run)["steps"][0]
    assert kid["status"] == "unknown" and "step 'x' still stands" in kid["compensation"]["error"]
