"""kill -9 between the question and the resumed step: nothing is lost, nothing is decided or done twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from approvals.models import Request
from orchestration.actions import breaker, transport
from orchestration.engines.temporal.worker import hosted
from orchestration.models import Run
from tests.approvals.races.scenes import whole
from tests.contract.cast import account, says
from tests.contract.hosts import celery_host, until
from tests.contract.sagas import start, step
from tests.crash.workers import ROOT, WorkerProcess, worker
from tests.peer import Peer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> Iterator[None]:
    account("bob")
    account("carol")
    breaker.reset()
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
    temporal = {"TEMPORAL_ADDRESS": settings.TEMPORAL_ADDRESS, "TEMPORAL_TASK_QUEUE": settings.TEMPORAL_TASK_QUEUE}
    with worker(env | temporal, "-m", "tests.crash.pausing", place, str(marker), *command, engine=engine) as started:
        yield started


@contextmanager
def another_worker(engine: str) -> Iterator[None]:
    """Whoever takes over, in this process."""
    with celery_host() if engine == "celery" else hosted():
        yield


def reached(marker: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not marker.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def started(peer: Peer, engine: str) -> Run:
    return start(peer, engine, step("a"), step("deploy", approval={"approvers": ["bob", "carol"]}), step("b"))


def the_question(run: Run) -> Request:
    until(run, lambda r: r.status == "waiting")
    return Request.objects.get(about=run.workflow_id)


def ended_well(run: Run, peer: Peer) -> None:
    until(run, seconds=60)
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


def test_a_decider_killed_before_and_after_the_commit(worker_env: dict[str, str], peer: Peer, tmp_path: Path) -> None:
    with another_worker("celery"):
        run = started(peer, "celery")
        request = the_question(run)
    killed_at("deciding", "bob", request, worker_env, tmp_path)
    assert not whole(request).votes.exists(), "what was not committed was not said"
    killed_at("telling", "carol", request, worker_env, tmp_path)
    request = whole(request)
    assert (request.status, request.decided_by, run.messages.get().delivered_at) == ("approved", "carol", None)
    assert says("carol", "approve", request).votes.count() == 1
    with another_worker("celery"):
        ended_well(run, peer)


def killed_at(place: str, name: str, request: Request, env: dict[str, str], folder: Path) -> None:
    """A process in which this person approves, killed there."""
    marker = folder / f"{place}-here"
    code = f"from tests.contract.cast import says; says({name!r}, 'approve', {request.request_id!r})"
    command = [sys.executable, "-m", "tests.crash.pausing", place, str(marker), "shell", "-v0", "-c", code]
    decider = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        reached(marker, decider)
    finally:
        decider.kill()
        decider.wait(10)
