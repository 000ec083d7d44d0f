"""TEMPORAL_DEPLOYMENT: a run stays with the build that began it, by the commands of docs/upgrading.md."""

from __future__ import annotations

import shlex
import subprocess
import uuid
from datetime import timedelta

import pytest
from pytest_django import Settings
from temporalio.api.deployment.v1 import WorkerDeploymentVersion

from monitoring import probes
from orchestration import plans
from orchestration.engines.temporal import troubles
from orchestration.engines.temporal.worker import hosted
from orchestration.models import Run
from orchestration.relay import relay
from orchestration.services import start_run
from orchestration.why import why
from tests.contract.hosts import until
from tests.contract.sagas import ADA
from tests.waiting import wait_until
from zen_project.checks import engine
from zen_project.embedded import temporal

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_run_stays_with_the_build_that_began_it(
    settings: Settings, temporal_dev_server: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.forget()
    name = f"zen-{uuid.uuid4().hex[:6]}"
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE, settings.TEMPORAL_DEPLOYMENT = (
        temporal_dev_server,
        name,
        name,
    )
    settings.TEMPORAL_BUILD_ID = "one"
    with hosted():
        make_current(settings)
        old = until(started(2), lambda run: run.status == "waiting")
    settings.TEMPORAL_BUILD_ID = "two"
    with hosted():
        make_current(settings)
        assert until(started(3)).status == "completed"  # it began after the old one, and waited longer
        old.refresh_from_db()
        assert old.status == "waiting"
    monkeypatch.setattr(troubles, "UNTAKEN", timedelta(seconds=1))
    monkeypatch.setattr(probes, "LATE", timedelta(seconds=1))
    new = started(1)
    says(new, f"no worker of build two of the deployment {name}, which is current, has taken up its next step since")
    says(new, f"TEMPORAL_DEPLOYMENT={name} TEMPORAL_BUILD_ID=two python manage.py temporal_worker, or make another")
    says(old, f"no worker of build one of the deployment {name}, to which it is pinned, has taken up its next step")
    assert "1 runs that no temporal worker has begun" in probes.backlog().detail
    settings.TEMPORAL_BUILD_ID = "one"
    with hosted():
        assert until(old).status == "completed"


def test_a_deployment_needs_the_name_of_its_build(settings: Settings) -> None:
    settings.TEMPORAL_DEPLOYMENT = "zen"
    assert [found.id for found in engine()] == ["zen.E010"]
    settings.TEMPORAL_BUILD_ID = "one"
    assert engine() == []


@pytest.mark.parametrize("name", ["two", "zen prod", "$(id)", "one; rm -rf ~", "it's `id`", "a\nb", ""])
def test_the_command_that_starts_a_worker_is_safe_to_paste_whatever_a_build_is_called(name: str) -> None:
    version = WorkerDeploymentVersion(deployment_name=name or "zen", build_id=name)
    words = [f"TEMPORAL_DEPLOYMENT={name or 'zen'}", f"TEMPORAL_BUILD_ID={name}"]
    assert shlex.split(troubles.to_start(version)) == [*words, "python", "manage.py", "temporal_worker"]
    assert troubles.to_start(WorkerDeploymentVersion()) == "python manage.py temporal_worker"
