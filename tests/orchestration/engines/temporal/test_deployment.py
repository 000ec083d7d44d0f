"""TEMPORAL_DEPLOYMENT: a run stays with the build that began it, by the commands of docs/howto/upgrading.md."""

from __future__ import annotations

import asyncio
import logging
import shlex
import subprocess
import threading
import uuid
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from pytest_django import Settings
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import VersioningBehavior
from temporalio.api.workflow.v1 import (
    DeploymentVersionTransition,
    VersioningOverride,
    WorkflowExecutionVersioningInfo,
)
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError

from foundation.clock import now
from monitoring.probes import work
from orchestration.engines.temporal import connection, troubles, untaken_tasks
from orchestration.ledger.live_workers import OF_TEMPORAL, how_to_serve, words_on
from orchestration.models import Command, Run, Worker
from orchestration.runs import start_run
from orchestration.runs.relay import relay
from orchestration.runs.waiting_reasons import why
from orchestration.workers.temporal.worker import hosted
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step
from zen_project.checks import engine
from zen_project.embedded import temporal

pytestmark = pytest.mark.django_db(transaction=True)
PINNED = VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
WAIT = {"step_id": "w", "forward_action": {"type": "wait", "seconds": 9}}


def make_current(settings: Settings) -> None:
    """Once the server has heard of the build from its worker."""
    tool, deployment = str(temporal.available().path), ["--deployment-name", settings.TEMPORAL_DEPLOYMENT]
    words = [tool, "worker", "deployment", "set-current-version", *deployment, "--yes"]
    words += ["--build-id", settings.TEMPORAL_BUILD_ID, "--address", settings.TEMPORAL_ADDRESS]
    said: list[str] = []

    def done() -> bool:
        result = subprocess.run(words, capture_output=True, text=True, check=False)
        said.append(result.stderr)
        return result.returncode == 0

    wait_until(done, lambda: said[-1], pause=0.5)


def started(seconds: float) -> Run:
    pause = {"step_id": "w", "forward_action": {"type": "wait", "seconds": seconds}}
    done = {"step_id": "done", "dependencies": ["w"], "forward_action": {"type": "wait", "seconds": 0.01}}
    return start_run(definition={"saga_id": "pinned", "steps": [pause, done]}, actor=ADA, engine="temporal")[0]


def says(run: Run, words: str) -> None:
    said: list[str] = []

    def done() -> bool:
        relay()  # no worker does it
        run.refresh_from_db()
        said[:] = why(run)
        return words in "\n".join(said)

    wait_until(done, lambda: f"{words!r} in {said}", pause=0.5)


@pytest.fixture
def deployment(
    settings: Settings, temporal_dev_server: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Its name; the build is `one`. What nobody takes up is told of after a second."""
    name = f"zen-{uuid.uuid4().hex[:6]}"
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, name
    settings.TEMPORAL_DEPLOYMENT, settings.TEMPORAL_BUILD_ID = name, "one"
    monkeypatch.setattr(untaken_tasks, "UNTAKEN", timedelta(seconds=1))
    return name


def test_a_run_stays_with_the_build_that_began_it(
    settings: Settings, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted():
        make_current(settings)
        old = until(started(2), lambda run: run.status == "waiting")
    settings.TEMPORAL_BUILD_ID = "two"
    with hosted():
        make_current(settings)
        assert until(started(3)).status == "completed"  # it began after the old one, and waited longer
        old.refresh_from_db()
        assert old.status == "waiting"
    monkeypatch.setattr(work, "LATE", timedelta(seconds=1))
    new, name = started(1), deployment
    says(new, f"no worker of build two of the deployment {name}, which is current, has taken up its next step since")
    says(new, f"TEMPORAL_DEPLOYMENT={name} TEMPORAL_BUILD_ID=two python manage.py temporal_worker, or make another")
    says(old, f"no worker of build one of the deployment {name}, to which it is pinned, has taken up its next step")
    assert "1 runs that no temporal worker has begun" in work.backlog().detail
    settings.TEMPORAL_BUILD_ID = "one"
    with hosted():
        assert until(old).status == "completed"


def moved(run: Run, settings: Settings, *behavior: str) -> None:
    """By the tool, as an operator does."""
    tool = [str(temporal.available().path), "workflow", "update-options", "--address", settings.TEMPORAL_ADDRESS]
    words = [*tool, "--workflow-id", run.workflow_id, "--versioning-override-behavior", *behavior]
    subprocess.run(words, capture_output=True, check=True)


def test_a_run_that_was_moved_waits_for_the_build_it_was_moved_to(settings: Settings, deployment: str) -> None:
    with hosted():
        make_current(settings)
        run = until(started(2), lambda found: found.status == "waiting")
    settings.TEMPORAL_BUILD_ID = "two"
    with hosted():
        make_current(settings)
    says(run, f"no worker of build one of the deployment {deployment}, to which it is pinned,")
    to_two = "--versioning-override-deployment-name", deployment, "--versioning-override-build-id", "two"
    moved(run, settings, "pinned", *to_two)
    says(run, f"no worker of build two of the deployment {deployment}, to which it is pinned,")
    says(run, f"start one: TEMPORAL_DEPLOYMENT={deployment} TEMPORAL_BUILD_ID=two")
    moved(run, settings, "auto_upgrade")
    says(run, f"no worker of build two of the deployment {deployment}, which is current,")
    with hosted():
        assert until(run).status == "completed"


def test_a_step_that_waits_for_its_build_is_told_of(
    settings: Settings, deployment: str, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """Ordered already, so no task of the workflow waits; a worker without a deployment lives and cannot take it."""
    peer.hold("POST", "/things/a")
    caplog.set_level(logging.INFO, "temporalio.worker")

    def let_go() -> None:
        wait_until(lambda: "Beginning worker shutdown" in caplog.text, "the worker's stop")
        peer.let_go()

    with hosted(queues={"default": 1}):
        make_current(settings)
        first = start(peer, "temporal", step("a"))
        wait_until(lambda: relay() or peer.held("POST", "/things/a") == 1, "its call")
        run = start(peer, "temporal", step("a"))
        wait_until(partial(ordered, run), "its order")
        seen = now()
        wait_until(lambda: now() > seen + 2 * untaken_tasks.UNTAKEN, "that it is late")
        assert troubles.report(run).trouble == "", "its worker is busy, and nobody need start one"
        caplog.clear()
        letting = threading.Thread(target=let_go)
        letting.start()
    letting.join()
    says(run, f"no worker of build one of the deployment {deployment}, to which it is pinned, has taken up its next")
    settings.TEMPORAL_DEPLOYMENT = ""
    with hosted():
        for one in (run, first):  # the other has a task of its workflow waiting
            until(one, lambda found: "engine trouble: no worker of build one" in found.error)
        found = work.backlog()
        assert f"run '{run.workflow_id}': engine trouble: no worker of build one of" in found.detail
        assert "start the workers that are named there" in found.remedy
    settings.TEMPORAL_DEPLOYMENT = deployment
    with hosted():
        assert {until(one).status for one in (run, first)} == {"completed"}
    troubles.note_troubles()
    run.refresh_from_db()
    assert run.error == ""


def ordered(run: Run) -> bool:
    """Whether an activity of it is with the server."""

    async def pending() -> int:
        found = await (await connection.client()).get_workflow_handle(run.workflow_id).describe()
        return len(found.raw_description.pending_activities)

    relay()
    try:
        return connection.call(pending()) > 0
    except RPCError:  # it is not handed over yet
        return False


def test_a_step_of_another_queue_waits_for_its_build_where_that_has_served_it(
    settings: Settings, deployment: str, peer: Peer
) -> None:
    with hosted(queues={"default": 2, "agents": 1}):
        make_current(settings)
    with hosted(queues={"default": 2}):
        run, other = [start(peer, "temporal", step(queue, queue=queue)) for queue in ("agents", "gpu")]
        for one in (run, other):
            wait_until(partial(ordered, one), "its order")
    settings.TEMPORAL_DEPLOYMENT = ""
    with hosted(queues={"agents": 1, "gpu": 1}):
        says(run, f"no worker of build one of the deployment {deployment}, to which it is pinned,")
        says(run, f"TEMPORAL_BUILD_ID=one {how_to_serve('temporal', 'agents')}")
        wait_until(
            lambda: "/things/gpu" in peer.things, "a step whose queue build one has never served: anybody does it"
        )
        assert "/things/agents" not in peer.things
    settings.TEMPORAL_DEPLOYMENT = deployment
    with hosted(queues={"default": 2, "agents": 1}):
        assert {until(one).status for one in (run, other)} == {"completed"}


def test_the_version_that_counts_is_the_one_moved_to_then_the_override_then_its_own() -> None:
    def wanted(**about: Any) -> tuple[str, str]:
        raw = DescribeWorkflowExecutionResponse()
        own = version("own")
        versioning = WorkflowExecutionVersioningInfo(behavior=PINNED, deployment_version=own, **about)
        raw.workflow_execution_info.versioning_info.CopyFrom(versioning)
        found, why_ = asyncio.run(untaken_tasks._wanted(cast("Client", None), raw))
        return found.build_id, why_

    override = VersioningOverride(pinned=VersioningOverride.PinnedOverride(version=version("two")))
    moving = DeploymentVersionTransition(deployment_version=version("three"))
    assert wanted() == ("own", untaken_tasks.PINNED)
    assert wanted(versioning_override=override) == ("two", untaken_tasks.PINNED)
    assert wanted(versioning_override=override, version_transition=moving) == ("three", untaken_tasks.MOVING)


def version(build: str) -> WorkerDeploymentVersion:
    return WorkerDeploymentVersion(deployment_name="zen", build_id=build)


@pytest.mark.parametrize(
    ("version", "living", "said"),
    [("zen:one", "zen:two", "its worker is gone, and none of build one of the deployment zen runs now"),
     ("zen:one", "zen:one", "its worker is gone, and another takes it up"),
     ("", "", "its worker is gone, and another takes it up"),
     (None, "zen:two", "its worker is gone, and another takes it up")],
)  # fmt: skip
def test_another_takes_up_what_a_lost_worker_had_where_it_may(version: str | None, living: str, said: str) -> None:
    run = start_run(definition={"saga_id": "s", "steps": [WAIT]}, actor=ADA, engine="celery")[0]
    lost = Command.objects.create(
        run=run, kind="run_action", step_id="w", status=Command.RUNNING, worker="lost", due_at=now()
    )
    for name, kind, until_ in (("lost", version, -1), ("other", living, 1)):
        detail = {"queues": {"default": 1}} | ({} if kind is None else {"version": kind})
        lease_until = now() + timedelta(hours=until_)
        Worker.objects.create(
            name=name + OF_TEMPORAL, engine="temporal", started_at=now(), lease_until=lease_until, detail=detail
        )
    run.engine = "temporal"
    assert words_on(run, lost) == f"; {said}"


def test_a_deployment_needs_the_name_of_its_build(settings: Settings) -> None:
    settings.TEMPORAL_DEPLOYMENT = "zen"
    assert [found.id for found in engine()] == ["zen.E010"]
    settings.TEMPORAL_BUILD_ID = "one"
    assert engine() == []


@pytest.mark.parametrize("name", ["two", "zen prod", "$(id)", "one; rm -rf ~", "it's `id`", "a\nb", ""])
def test_the_command_that_starts_a_worker_is_safe_to_paste_whatever_a_build_is_called(name: str) -> None:
    version = WorkerDeploymentVersion(deployment_name=name or "zen", build_id=name)
    words = [f"TEMPORAL_DEPLOYMENT={name or 'zen'}", f"TEMPORAL_BUILD_ID={name}"]
    assert shlex.split(untaken_tasks.to_start(version)) == [*words, "python", "manage.py", "temporal_worker"]
    assert untaken_tasks.to_start(WorkerDeploymentVersion()) == "python manage.py temporal_worker"
