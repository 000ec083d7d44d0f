"""A rerun forgets nothing, on every engine."""

from __future__ import annotations

from typing import Any

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, preview
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import ended_after, until
from tests.system.contract.sagas import ADA, start, step


def trip(peer: Peer, engine: str) -> Run:
    """Each repeat of `pay` and `mail` makes another thing, as their payload says."""
    return until(
        start(
            peer, engine, step("hotel", []), step("car", []), numbered("pay", ["hotel", "car"]),
            numbered("mail", ["pay"], undo=False),
        )
    )  # fmt: skip


def numbered(name: str, after: list[str], **more: Any) -> dict[str, Any]:
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/{id}"}
    return step(name, after, **{"compensation_action": undo, **more} if more.get("undo", True) else more)


def ended_again(run: Run) -> Run:
    return ended_after(run, lambda r: r.events.filter(kind="act.rerun").exists())


def again(run: Run, step_id: str) -> Run:
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, step_id=step_id, actor=ADA)
    return ended_again(run)


def test_a_rerun_that_fails_undoes_what_the_step_did_before(engine: str, peer: Peer) -> None:
    run = trip(peer, engine)
    peer.behave("/things/pay", 402)
    view = run_view(again(run, "pay"))
    assert (view["status"], peer.things) == ("rolled_back", {"/things/mail": "mail"})
    assert peer.methods("DELETE")[0] == "/things/pay" and len(peer.methods("DELETE")) == 3
    steps = {s["step_id"]: s for s in view["steps"]}
    assert (steps["pay"]["status"], steps["pay"]["compensation"]["status"]) == ("failed", "compensated")
    assert steps["pay"]["earlier"] == [{"iteration": 1, "compensation": "compensated"}]
    assert view["warnings"] == ["step 'mail' in iteration 1 ran and has no compensation: it still stands"]
    keys = [key for method, path, key in peer.calls if (method, path) == ("DELETE", "/things/pay")]
    assert keys == [f"{run.workflow_id}:pay:undo:1"]


def test_the_preview_of_an_abort_names_the_iterations_before(engine: str, peer: Peer) -> None:
    run = again(trip(peer, engine), "pay")
    shown = preview(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert "the same holds for iterations before a rerun: pay (1); mail (1)" in shown.lines


def test_each_iteration_is_undone_under_its_own_key_by_what_it_made(engine: str, peer: Peer) -> None:
    peer.say_once("/things/pay", 201, {}, b'{"id": "first"}')
    run = trip(peer, engine)
    peer.say_once("/things/pay", 201, {}, b'{"id": "second"}')
    peer.behave("/things/mail", 422)
    view = run_view(again(run, "pay"))
    undone = [(path, key.rsplit(":", 1)[1]) for method, path, key in peer.calls if method == "DELETE"]
    assert view["status"] == "rolled_back" and undone[:2] == [("/things/second", "2"), ("/things/first", "1")]
    kinds = [(e.kind, e.data.get("iteration")) for e in run.events.filter(step_id="pay", kind="undo.compensated")]
    assert kinds == [("undo.compensated", 2), ("undo.compensated", 1)]


def test_a_person_answers_for_the_iteration_whose_undo_failed(engine: str, peer: Peer) -> None:
    peer.say_once("/things/pay", 201, {}, b'{"id": "first"}')
    run = trip(peer, engine)
    peer.say_once("/things/pay", 201, {}, b'{"id": "second"}')
    peer.behave("/things/mail", 422)
    peer.behave("/things/first", 403)
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, step_id="pay", actor=ADA)
    until(run, lambda r: r.status == "needs_attention")
    found = {"type": "api_call", "method": "DELETE", "url": f"{peer.url}/things/found"}
    act(
        workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="pay", answer="alternative", action=found,
        note="found it", actor=ADA,
    )  # fmt: skip
    view = run_view(ended_again(run))
    assert (view["status"], peer.methods("DELETE")[:3]) == (
        "rolled_back",
        ["/things/second", "/things/first", "/things/found"],
    )
    assert "step 'pay' in iteration 1 was undone by an alternative" in view["warnings"]
