"""kill -9 between the question and the resumed step: nothing is lost, nothing is decided or done twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings
from temporalio.client import WorkflowExecutionStatus

from approvals.models import Request
from foundation.outbound import circuit_breaker, transport
from orchestration.engines.temporal import delivery
from orchestration.models import Run
from orchestration.workers.temporal.worker import hosted
from tests.approvals.requests.test_lost_workflows import status_of
from tests.orchestration.engines.temporal.test_tending import has_rung
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import celery_host, until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import ROOT, WorkerProcess, worker
from tests.system.races.scenes import whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> Iterator[None]:
    account("bob")
    account("carol")
    circuit_breaker.reset()
    yield
    transport.close()


@pytest.fixture(params=["celery", "temporal"])
def engine(request: pytest.FixtureRequest, settings: Settings) -> str:
    if request.param == "temporal":
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
        settings.TEMPORAL_TASK_QUEUE = f"crash-{request.node.name}"[:100]
    return str(request.param)


@contextmanager
def stopping_at(
    place: str, engine: str, env: dict[str, str], settings: Settings, marker: Path
) -> Iterator[WorkerProcess]:
    """A worker process that will stand still at that place."""
    command = ["temporal_worker"]
    if engine == "celery":
        command = ["celery", "worker", "-B", "-l", "warning", "-c", "4", "-s", f"{marker}-beat"]
    env = env | of_temporal(settings)
    with worker(env, "-m", "tests.system.crash.pausing", place, str(marker), *command, engine=engine) as started:
        yield started


def of_temporal(settings: Settings) -> dict[str, str]:
    return {"TEMPORAL_ADDRESS": settings.TEMPORAL_ADDRESS, "TEMPORAL_TASK_QUEUE": settings.TEMPORAL_TASK_QUEUE}


@contextmanager
def another_worker(engine: str) -> Iterator[None]:
    """Whoever takes over, in this process."""
    with celery_host() if engine == "celery" else hosted():
        yield


def reached(marker: Path, process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: marker.exists() or process.poll() is not None, f"{marker} touched")
    assert marker.exists(), f"ended with {process.returncode}"


def started(peer: Peer, engine: str) -> Run:
    return start(peer, engine, step("a"), step("deploy", approval={"approvers": ["bob", "carol"]}), step("b"))


def the_question(run: Run) -> Request:
    until(run, lambda r: r.status == "waiting")
    return Request.objects.get(about=run.workflow_id)


def ended_well(run: Run, peer: Peer) -> None:
    until(run)
    request = whole(Request.objects.get(about=run.workflow_id))
    assert run.status == "completed" and request.status == "approved" and request.votes.count() == 1
    assert set(peer.things) == {"/things/a", "/things/deploy", "/things/b"}
    assert set(peer.effects.values()) == {1} and len(peer.effects) == 3
    assert request.spent_by == f"{run.workflow_id}:deploy:forward:1"


@pytest.mark.parametrize("place", ["opening", "opened"])
def test_a_worker_killed_while_it_asks(
    place: str, engine: str, worker_env: dict[str, str], settings: Settings, peer: Peer, tmp_path: Path
) -> None:
    marker = tmp_path / "here"
    with stopping_at(place, engine, worker_env, settings, marker) as first:
        run = started(peer, engine)
        reached(marker, first.process)
        assert Request.objects.exists() == (place == "opened")
        first.kill()
    with another_worker(engine):
        says("bob", "approve", the_question(run))
        ended_well(run, peer)


@pytest.mark.parametrize("place", ["unspent", "spent"])
def test_a_worker_killed_with_the_answer_in_its_hands(
    place: str, engine: str, worker_env: dict[str, str], settings: Settings, peer: Peer, tmp_path: Path
) -> None:
    marker = tmp_path / "here"
    with stopping_at(place, engine, worker_env, settings, marker) as first:
        run = started(peer, engine)
        request = says("bob", "approve", the_question(run))
        reached(marker, first.process)
        request.refresh_from_db()
        assert (request.spent_at is not None) == (place == "spent") and "/things/deploy" not in peer.things
        first.kill()
    with another_worker(engine):
        ended_well(run, peer)


def test_a_worker_killed_with_the_approved_action_done_and_its_end_unstored(
    engine: str, worker_env: dict[str, str], settings: Settings, peer: Peer, tmp_path: Path
) -> None:
    """At least once, under one key: the peer does it once, and the run says that it may have been repeated."""
    marker = tmp_path / "here"
    with stopping_at("acted", engine, worker_env, settings, marker) as first:
        run = start(peer, engine, step("deploy", approval={"approvers": ["bob"]}), step("b"))
        says("bob", "approve", the_question(run))
        reached(marker, first.process)
        assert "/things/deploy" in peer.things and not run.commands.filter(outcome="succeeded").exists()
        first.kill()
    with another_worker(engine):
        until(run)
    request, key = whole(Request.objects.get()), f"{run.workflow_id}:deploy:forward:1"
    assert run.status == "completed" and request.spent_by == key and request.run.status == "completed"
    assert [call for call in peer.calls if call[1] == "/things/deploy"] == [("POST", "/things/deploy", key)] * 2
    assert set(peer.effects.values()) == {1} and len(peer.effects) == 2
    assert run.events.get(kind="step.possibly_repeated").step_id == "deploy"


def test_a_decider_killed_before_and_after_the_commit(
    engine: str, worker_env: dict[str, str], settings: Settings, peer: Peer, tmp_path: Path
) -> None:
    env = worker_env | of_temporal(settings)
    with another_worker(engine):
        run = started(peer, engine)
        request = the_question(run)
        until(request.run, lambda run: run.handed_over)
    killed_at("deciding", "bob", request, env, tmp_path)
    assert not whole(request).votes.exists(), "what was not committed was not said"
    killed_at("telling", "carol", request, env, tmp_path)
    request = whole(request)
    assert (request.status, request.decided_by, run.messages.get().delivered_at) == ("approved", "carol", None)
    assert request.run.messages.filter(delivered_at=None).count() == (engine == "temporal")
    assert says("carol", "approve", request).votes.count() == 1
    with another_worker(engine):
        ended_well(run, peer)
        if engine == "temporal":
            until(request.run, lambda _: status_of(request) is WorkflowExecutionStatus.COMPLETED)


def test_a_worker_killed_between_the_start_of_a_workflow_and_the_note_of_it(
    worker_env: dict[str, str], settings: Settings, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    temporal_dev_server: str,
) -> None:  # fmt: skip
    """A decision in between finds nobody to wake; the workflow must not sleep on."""
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, "crash-handed"
    monkeypatch.setattr(delivery, "UPDATE_SECONDS", 1.0)  # nobody answers the decision
    marker = tmp_path / "here"
    with stopping_at("handed", "temporal", worker_env, settings, marker) as first:
        run = started(peer, "temporal")
        reached(marker, first.process)
        request = Request.objects.get()
        until(request.run, lambda _: has_rung(request))
        first.kill()
    says("bob", "approve", request)
    assert not Run.objects.get(pk=request.run_id).handed_over
    with another_worker("temporal"):
        ended_well(run, peer)
        until(request.run, lambda _: status_of(request) is WorkflowExecutionStatus.COMPLETED)
    assert Run.objects.get(pk=request.run_id).handed_over


def killed_at(place: str, name: str, request: Request, env: dict[str, str], folder: Path) -> None:
    """A process in which this person approves, killed there."""
    marker = folder / f"{place}-here"
    code = f"from tests.system.contract.cast import says; says({name!r}, 'approve', {request.request_id!r})"
    command = [sys.executable, "-m", "tests.system.crash.pausing", place, str(marker), "shell", "-v0", "-c", code]
    decider = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        reached(marker, decider)
    finally:
        decider.kill()
        decider.wait(PATIENCE_SECONDS)
