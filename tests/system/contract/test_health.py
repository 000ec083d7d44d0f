"""The health of a run is the same on every engine, and found by a pass of the watch."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from foundation.clock import now
from monitoring.models import RunHealth
from monitoring.watch import sweep
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.cast import account
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = pytest.mark.both_databases


def issues(run: Run) -> dict[str, str]:
    """{code: sentence}, after a pass."""
    sweep.sweep(at_once=True)
    row = RunHealth.objects.filter(pk=run.pk).first()
    return {issue["code"]: issue["sentence"] for issue in row.issues} if row is not None else {}


def told(run: Run, code: str) -> str:
    wait_until(lambda: code in issues(run), f"health to say {code}")
    return issues(run)[code]


def test_a_step_that_blocks_after_the_pivot(engine: str, peer: Peer) -> None:
    peer.say("/things/b", 402)
    run = start(peer, engine, step("a", pivot=True), step("b", retry_count=0))
    until(run, lambda r: r.status == "held")
    assert told(run, "step_blocks") == (
        "step 'b' failed after the pivot (HTTP 402 from 127.0.0.1); nothing moves until it is retried or skipped"
    )
    peer.say("/things/b", 200)
    act(workflow_id=run.workflow_id, verb=Verb.RETRY, actor=ADA, step_id="b", note="paid")
    until(run, lambda r: r.status == "completed")
    assert issues(run) == {}
    assert RunHealth.objects.get(pk=run.pk).status == "healthy"


def test_an_undo_that_fails(engine: str, peer: Peer) -> None:
    peer.say("/undo/a", 500)
    peer.say("/things/b", 402)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
    more: dict[str, Any] = {
        "compensation_action": undo,
        "compensation_retry_count": 1,
        "compensation_backoff_seconds": 0.05,
    }
    run = start(peer, engine, step("a", **more), step("b"))
    until(run, lambda r: r.status == "needs_attention")
    said = told(run, "undo_failed")
    assert said == "the undo of 'a' failed 2 times (HTTP 500 from 127.0.0.1); its effect still stands"


def test_a_rollback_is_told_with_its_cause(engine: str, peer: Peer) -> None:
    peer.say("/things/b", 402)
    run = until(start(peer, engine, step("a"), step("b")))
    assert run.status == "rolled_back"
    assert told(run, "ended_failed") == "rolled back: step 'b' failed (HTTP 402 from 127.0.0.1)"
    assert RunHealth.objects.get(pk=run.pk).target == "127.0.0.1"


def test_a_gate_that_nobody_answers(engine: str, peer: Peer) -> None:
    account("bob")
    ask = {"type": "approval", "stage": "go", "description": "?", "approvers": ["bob"], "timeout_seconds": 20}
    run = start(peer, engine, {"step_id": "g", "forward_action": ask}, step("a"))
    wait_until(Request.objects.exists, "the request")
    said = told(run, "gate_waits")
    assert said.startswith("waits ") and "for a yes by bob; rejected at " in said
    assert until(run).status == "rolled_back" and "ended_failed" in issues(run)


def test_what_goes_well_is_healthy_all_the_way(engine: str, peer: Peer) -> None:
    run = until(start(peer, engine, step("a"), step("b")))
    assert issues(run) == {}
    row = RunHealth.objects.get(pk=run.pk)
    assert (row.status, row.ended, row.look_at) == ("healthy", True, None) and row.checked_at <= now()
