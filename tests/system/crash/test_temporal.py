"""kill -9 of Temporal's worker and of Temporal itself: the run goes on, no effect happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pytest_django import Settings
from temporalio.client import WorkflowExecutionStatus

from approvals.models import Request
from orchestration.engines.temporal import delivery, schedule_wake
from orchestration.models import Run, Worker
from orchestration.runs.queries import run_view
from tests.approvals.requests.test_lost_workflows import status_of
from tests.support.peer import Peer
from tests.support.servers.fixtures import need
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import assert_the_repeat_is_told, worker
from zen_project.embedded import temporal
from zen_project.embedded.process import OwnedServer

pytestmark = pytest.mark.django_db(transaction=True)
WORKER = ("manage.py", "temporal_worker")


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[OwnedServer]:
    """A Temporal server with a file, so that it can be killed and started again."""
    need(temporal.available)
    with temporal.temporal_dev_server(tmp_path) as running:
        settings.TEMPORAL_ADDRESS = running.address
        yield running


@pytest.fixture
def env(process_env: dict[str, str], peer: Peer, server: OwnedServer) -> dict[str, str]:
    return process_env | {"ZEN_OUTBOUND_ALLOW": peer.address, "TEMPORAL_ADDRESS": server.address}


def again(server: OwnedServer) -> AbstractContextManager[OwnedServer]:
    """A killed server, with what it wrote, at the same address."""
    assert server.log is not None
    return temporal.temporal_dev_server(server.log.parent.parent, port=int(server.address.rsplit(":", 1)[1]))


def test_a_worker_killed_in_the_middle_of_a_step_is_replaced(env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/b")
    with worker(env, *WORKER, engine="temporal") as first:
        run = start(peer, "temporal", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.held("POST", "/things/b") == 1)
        first.kill()
        with worker(env, *WORKER, engine="temporal"):
            until(run, lambda r: peer.held("POST", "/things/b") == 2)
            peer.let_go()
            until(run)
    assert run.status == "completed" and set(peer.effects.values()) == {1}
    assert_the_repeat_is_told(run)


def test_a_worker_killed_during_the_compensation_is_replaced(env: dict[str, str], peer: Peer) -> None:
    peer.say("/things/c", 422)
    peer.hold("DELETE", "/things/b")
    with worker(env, *WORKER, engine="temporal") as first:
        run = start(peer, "temporal", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.held("DELETE", "/things/b") == 1)
        first.kill()
        peer.let_go()
        with worker(env, *WORKER, engine="temporal"):
            until(run)
    assert run.status == "rolled_back" and peer.things == {}
    assert peer.methods("DELETE")[-1] == "/things/a"


def test_a_killed_server_comes_back_and_the_run_goes_on(env: dict[str, str], peer: Peer, server: OwnedServer) -> None:
    peer.hold("POST", "/things/b")
    with worker(env, *WORKER, engine="temporal"):
        run = start(peer, "temporal", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.held("POST", "/things/b") == 1)
        server.kill()
        peer.let_go()
        until(run, lambda r: r.commands.filter(step_id="b", outcome="succeeded").exists())  # nobody hears of it
        with again(server):
            until(run)
            view = run_view(Run.objects.get(pk=run.pk))
    assert view["status"] == "completed" and set(peer.effects.values()) == {1}


def test_what_is_decided_while_the_server_is_killed_arrives_when_it_is_back(
    env: dict[str, str], peer: Peer, server: OwnedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience, of in (("UPDATE_SECONDS", delivery), ("TELL_SECONDS", schedule_wake)):
        monkeypatch.setattr(of, patience, 1.0)
    account("bob")
    with worker(env, *WORKER, engine="temporal"):
        run = start(peer, "temporal", step("a"), step("b", approval={"approvers": ["bob"]}))
        until(run, lambda r: r.status == "waiting")
        request = Request.objects.get()
        server.kill()
        assert says("bob", "approve", request).status == "approved"
        assert run.messages.get().delivered_at is None and "/things/b" not in peer.things
        with again(server):
            until(run)
            until(request.run, lambda _: status_of(request) is WorkflowExecutionStatus.COMPLETED)
    request.refresh_from_db()
    assert run.status == "completed" and set(peer.effects.values()) == {1} and len(peer.effects) == 2
    assert request.spent_by == f"{run.workflow_id}:b:forward:1"


def test_a_worker_killed_between_two_steps_is_replaced(env: dict[str, str], peer: Peer) -> None:
    pause = {"step_id": "pause", "dependencies": ["a"], "forward_action": {"type": "wait", "seconds": 1}}
    with worker(env, *WORKER, engine="temporal") as first:
        run = start(peer, "temporal", step("a"), pause, step("b", ["pause"]))
        until(run, lambda r: run_view(r)["status"] == "waiting")
        first.kill()
        with worker(env, *WORKER, engine="temporal"):
            until(run)
    assert run.status == "completed" and set(peer.effects.values()) == {1} and len(peer.calls) == 2


def test_two_workers_share_the_work_and_repeat_nothing(env: dict[str, str], peer: Peer) -> None:
    with worker(env, *WORKER, engine="temporal"), worker(env, *WORKER, engine="temporal"):
        runs = [start(peer, "temporal", step("a", []), step("b", []), step("c", ["a", "b"])) for _ in range(15)]
        for run in runs:
            until(run)
    assert {run.status for run in runs} == {"completed"} and set(peer.effects.values()) == {1}
    assert len(peer.calls) == 45


def test_a_worker_told_to_stop_finishes_its_step_and_takes_no_other(env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    with worker(env, *WORKER, engine="temporal") as first:
        run = start(peer, "temporal", step("a"), step("b"))
        until(run, lambda r: peer.held("POST", "/things/a") == 1)
        first.ask_to_stop()
        first.until_it_says("finishing what is in hand")
        peer.let_go()
        assert first.wait() == 0, first.output()
        assert [path for _, path, _ in peer.calls] == ["/things/a"], first.output()
        assert not Worker.objects.filter(engine="temporal").exists()
        with worker(env, *WORKER, engine="temporal"):
            until(run)
    assert run.status == "completed" and len(peer.calls) == 2
