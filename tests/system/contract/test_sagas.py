"""What a saga does, on every engine."""

from __future__ import annotations

import pytest

from foundation.errors import WrongState
from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.runs import act, preview
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import ended_after, until
from tests.system.contract.sagas import ADA, start, step


def test_a_saga_completes_in_the_order_of_its_dependencies(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, step("a"), step("b", ["a"]), step("c", ["a"]), step("d", ["b", "c"])))
    view = run_view(run)
    assert view["status"] == "completed" and view["warnings"] == [] and view["error"] == ""
    assert [s["status"] for s in view["steps"]] == ["succeeded"] * 4
    created = peer.methods("POST")
    assert created[0] == "/things/a" and created[-1] == "/things/d" and len(created) == 4
    assert set(peer.effects.values()) == {1}


def test_many_runs_at_once_do_each_their_own(engine: str, peer: Peer) -> None:
    runs = [start(peer, engine, step("a", []), step("b", []), step("c", ["a", "b"])) for _ in range(12)]
    assert {until(run).status for run in runs} == {"completed"}
    keys = {f"{run.workflow_id}:{name}:forward:1" for run in runs for name in "abc"}
    assert set(peer.effects) == keys and set(peer.effects.values()) == {1}


def test_a_failure_rolls_back_in_reverse_waves(engine: str, peer: Peer) -> None:
    peer.behave("/things/d", 422)
    view = run_view(until(start(peer, engine, step("a"), step("b", ["a"]), step("c", ["a"]), step("d", ["b", "c"]))))
    assert (view["status"], view["cause"]) == ("rolled_back", "failure")
    assert [s["compensation"]["status"] for s in view["steps"]] == ["compensated"] * 3 + ["not_needed"]
    undone = peer.methods("DELETE")
    assert sorted(undone[:2]) == ["/things/b", "/things/c"] and undone[2:] == ["/things/a"]
    assert peer.things == {} and "422" in view["error"]


def test_a_retryable_answer_is_tried_again_with_the_same_key(engine: str, peer: Peer) -> None:
    peer.behave("/things/a", 503, 429)
    view = run_view(until(start(peer, engine, step("a", retry_count=2))))
    assert view["status"] == "completed" and view["steps"][0]["attempts"] == 3
    assert len({key for _, _, key in peer.calls}) == 1


def test_an_unknown_outcome_is_undone(engine: str, peer: Peer) -> None:
    peer.behave("/things/b", "cut")
    view = run_view(until(start(peer, engine, step("a"), step("b"))))
    assert view["status"] == "rolled_back" and view["steps"][1]["status"] == "unknown"
    assert view["steps"][1]["compensation"]["status"] == "compensated" and peer.things == {}


def test_nobody_claims_that_an_unknown_step_ran(engine: str, peer: Peer) -> None:
    """The answers say nothing: what has no compensation may stand, or not."""
    peer.behave("/things/p", 500, 500)
    view = run_view(until(start(peer, engine, step("a"), step("p", ["a"], undo=False, retry_count=1))))
    assert (view["status"], view["steps"][1]["status"]) == ("rolled_back", "unknown")
    assert view["warnings"] == ["step 'p' may have run and has no compensation: it may still stand"]


def test_a_probe_settles_an_unknown_outcome(engine: str, peer: Peer) -> None:
    peer.behave("/things/a", "cut")
    probe = {"type": "api_call", "url": "{base}/things/a"}
    view = run_view(until(start(peer, engine, step("a", probe_action=probe))))
    assert view["status"] == "completed" and view["steps"][0]["output"] == {"id": "a"}


def test_a_timeout_is_unknown(engine: str, peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    view = run_view(until(start(peer, engine, step("a", timeout_seconds=2))))
    assert view["steps"][0]["status"] == "unknown" and view["status"] == "rolled_back"


def test_a_non_critical_failure_is_a_warning_and_its_default_is_used(engine: str, peer: Peer) -> None:
    peer.behave("/things/a", 404)
    peer.behave("/things/b", 404)
    uses = step("c", ["a"])
    uses["forward_action"]["payload"] = {"from": "{a.id}"}
    needs = step("d", ["b"])
    needs["forward_action"]["payload"] = {"from": "{b.id}"}
    run = start(
        peer,
        engine,
        step("a", [], critical=False, default_output={"id": "none"}),
        step("b", [], critical=False),
        uses,
        needs,
    )
    view = run_view(until(run))
    assert view["status"] == "completed" and len(view["warnings"]) == 3
    assert [s["status"] for s in view["steps"]] == ["failed", "failed", "succeeded", "skipped"]
    assert '{"from":"none"}' in [body.replace(" ", "") for body in peer.bodies]


def test_after_the_pivot_a_failure_holds_the_run(engine: str, peer: Peer) -> None:
    peer.behave("/things/c", 422)
    run = until(start(peer, engine, step("a"), step("b", undo=False, pivot=True), step("c")))
    assert run.status == "held" and peer.methods("DELETE") == []
    with pytest.raises(WrongState, match="pivot"):
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    act(workflow_id=run.workflow_id, verb=Verb.RETRY, step_id="c", actor=ADA)
    assert run_view(until(run, lambda r: r.finished_at is not None))["status"] == "completed"


@pytest.mark.parametrize(
    ("answer", "end"),
    [("retry", "rolled_back"), ("done-by-hand", "rolled_back"), ("accept-loss", "rollback_incomplete"),
     ("alternative", "rolled_back")],
)  # fmt: skip
def test_a_failed_compensation_waits_for_a_person(engine: str, peer: Peer, answer: str, end: str) -> None:
    peer.behave("/things/c", 422)
    peer.behave("/undo/b", 403)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/b"}
    run = until(start(peer, engine, step("a"), step("b", compensation_action=undo), step("c")))
    assert run.status == "needs_attention" and "/things/a" in peer.things
    act(workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="b", answer=answer, note="seen to", actor=ADA)
    view = run_view(until(run, lambda r: r.finished_at is not None))
    assert view["status"] == end and "/things/a" not in peer.things
    assert bool(view["warnings"]) == (answer != "retry")


def test_hold_stops_before_the_next_step_and_release_goes_on(engine: str, peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    run = start(peer, engine, step("a"), step("b"))
    until(run, lambda r: bool(peer.held("POST", "/things/a")))
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, note="look first", actor=ADA)
    until(run, lambda r: not r.messages.filter(delivered_at=None).exists())
    peer.let_go()
    until(run, lambda r: run_view(r)["steps"][0]["status"] == "succeeded")
    assert run.status == "held" and run_view(run)["steps"][1]["status"] == "pending"
    act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA)
    assert until(run, lambda r: r.finished_at is not None).status == "completed"


def test_abort_drains_what_flies_and_undoes_it_too(engine: str, peer: Peer) -> None:
    peer.hold("POST", "/things/b")
    run = start(peer, engine, step("a"), step("b"), step("c"))
    until(run, lambda r: bool(peer.held("POST", "/things/b")))
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    until(run, lambda r: not r.messages.filter(delivered_at=None).exists())
    peer.let_go()
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "operator")
    assert [s["compensation"]["status"] for s in view["steps"]] == ["compensated", "compensated", "not_needed"]
    assert peer.things == {} and view["steps"][2]["status"] == "pending"


def test_a_deadline_aborts(engine: str, peer: Peer) -> None:
    run = start(
        peer, engine, step("a"), {"step_id": "w", "forward_action": {"type": "wait", "minutes": 5}}, timeout_seconds=1
    )
    view = run_view(until(run))
    assert (view["status"], view["cause"]) == ("rolled_back", "timed_out") and peer.things == {}


def test_no_more_at_once_than_allowed(engine: str, peer: Peer) -> None:
    for n in range(6):
        peer.delay[f"/things/s{n}"] = 0.1
    run = start(peer, engine, *(step(f"s{n}", []) for n in range(6)), max_parallel=2)
    assert until(run).status == "completed" and peer.most_at_once == 2


def test_a_child_saga_runs_and_is_undone_by_its_parent(engine: str, peer: Peer) -> None:
    child = {"saga_id": "child", "steps": [step("x"), step("y")], "context": {"base": peer.url}}
    peer.behave("/things/z", 422)
    run = start(peer, engine, {"step_id": "kid", "forward_action": {"type": "saga", "definition": child}}, step("z"))
    view = run_view(until(run))
    assert view["status"] == "rolled_back" and peer.things == {}
    assert view["steps"][0]["compensation"]["status"] == "compensated"


def test_a_rerun_repeats_a_step_and_what_follows_under_new_keys(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, step("a"), step("b"), step("c")))
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, step_id="b", actor=ADA)
    ended_after(run, lambda _: len(peer.methods("POST")) == 5)
    keys = [key for method, path, key in peer.calls if path == "/things/b"]
    assert [key.rsplit(":", 1)[1] for key in keys] == ["1", "2"] and run.status == "completed"


def test_a_force_stop_ends_at_once_and_says_what_stands(engine: str, peer: Peer) -> None:
    run = start(peer, engine, step("a"), {"step_id": "w", "forward_action": {"type": "wait", "minutes": 5}})
    until(run, lambda r: run_view(r)["status"] == "waiting")
    act(workflow_id=run.workflow_id, verb=Verb.FORCE_STOP, actor=ADA, note="enough")
    view = run_view(until(run))
    assert view["status"] == "force_stopped" and "/things/a" in peer.things
    assert any("'a'" in warning for warning in view["warnings"])


def test_a_force_stop_s_warnings_name_what_its_preview_named(engine: str, peer: Peer) -> None:
    """The step without an undo too, and the step in flight; a wait leaves nothing."""
    pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 0.01}}
    peer.hold("POST", "/things/b")
    run = start(peer, engine, step("a"), step("p", undo=False), pause, step("b"))
    until(run, lambda r: bool(peer.held("POST", "/things/b")) and run_view(r)["steps"][3]["status"] == "running")
    lines = preview(workflow_id=run.workflow_id, verb=Verb.FORCE_STOP, actor=ADA).lines
    assert lines[0] == "nothing is undone; what stands: a, p"
    act(workflow_id=run.workflow_id, verb=Verb.FORCE_STOP, actor=ADA, note="enough")
    view = run_view(until(run))
    assert view["status"] == "force_stopped" and view["warnings"] == [
        "step 'a' may still stand: the run was force-stopped",
        "step 'p' ran and has no compensation: it still stands",
        "step 'b' may still stand: the run was force-stopped",
    ]


def test_a_compensation_may_name_its_own_step(engine: str, peer: Peer) -> None:
    peer.behave("/things/b", 422)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/{a.id}"}
    run = until(start(peer, engine, step("a", compensation_action=undo), step("b")))
    assert (run.status, peer.things, peer.methods("DELETE")) == ("rolled_back", {}, ["/things/a"])


def test_an_alternative_undo_is_performed_when_an_action_is_given(engine: str, peer: Peer) -> None:
    peer.behave("/things/b", 422)
    peer.behave("/undo/a", 403)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
    run = until(start(peer, engine, step("a", compensation_action=undo), step("b")))
    other = {"type": "api_call", "method": "DELETE", "url": f"{peer.url}/things/a"}
    act(
        workflow_id=run.workflow_id,
        verb=Verb.RESOLVE,
        step_id="a",
        answer="alternative",
        action=other,
        note="by x",
        actor=ADA,
    )
    until(run, lambda r: r.finished_at is not None)
    assert (run.status, peer.things) == ("rolled_back", {})
    assert AuditEvent.objects.get(action="run.resolve").data["alternative"] == other


def test_each_alternative_has_a_key_of_its_own_and_its_retries_have_that(engine: str, peer: Peer) -> None:
    """A service that keeps keys would answer it with what it answered to the undo that failed."""
    peer.behave("/things/b", 422)
    peer.behave("/undo/a", 403)
    peer.behave("/undo/first", 403, 403)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
    run = until(start(peer, engine, step("a", compensation_action=undo), step("b")))

    def answered(path: str, answer: str = "alternative") -> None:
        given = {"type": "api_call", "method": "DELETE", "url": f"{peer.url}{path}"} if path else None
        act(
            workflow_id=run.workflow_id, verb=Verb.RESOLVE, step_id="a", answer=answer, action=given, note="by x",
            actor=ADA,
        )  # fmt: skip

    def failed_again(times: int) -> None:
        until(run, lambda r: len(peer.methods("DELETE")) == times and r.status == "needs_attention")

    answered("/undo/first")
    failed_again(2)
    answered("", "retry")
    failed_again(3)
    answered("/things/a")
    assert until(run, lambda r: r.finished_at is not None).status == "rolled_back"
    keys = [(path, key.removeprefix(f"{run.workflow_id}:")) for method, path, key in peer.calls if method == "DELETE"]
    assert keys == [
        ("/undo/a", "a:undo:1"),
        ("/undo/first", "a:undo:1:alternative:1"),
        ("/undo/first", "a:undo:1:alternative:1"),
        ("/things/a", "a:undo:1:alternative:2"),
    ]
