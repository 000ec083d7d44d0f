"""A project whose last phase but one brings its merged head to users."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.core.deployment.compile import PREFIX
from orchestration.models import Run
from orchestration.projects.deployment.local import processes
from orchestration.projects.deployment.local.folder import folder_of, folders, read, root
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.projects.deployment.service import deploy
from orchestration.projects.queries import get_project, project_view
from orchestration.runs.queries import run_view
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.projects.scenes import begun

QUICK = {"window_seconds": 0.5, "interval_seconds": 0.1}


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    settings.ZEN_DATA_DIR.mkdir()
    yield
    for one in folders():
        stop_all(one)


def served(name: str, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{read(folder_of(name)).port}/{path}") as answer:
        return str(answer.read().decode())


def test_the_merged_head_is_served_and_can_be_deployed_again(engine: str, repository: Path) -> None:
    config = {"deployment_strategy": "blue_green", "deployment": QUICK}
    run = until(begun(engine, config, repository=str(repository), requirements=["A cart"]))
    assert run.status == "completed", run_view(run)["error"]
    assert "cart" in served(run.workflow_id, "t1.md").lower()
    assert "static file server" in str(project_view(get_project(run.workflow_id))["warnings"])
    again = until(deploy(run.workflow_id, actor=ADA, strategy="rolling"))
    assert again.status == "completed", run_view(again)["error"]
    assert len(read(folder_of(run.workflow_id)).routing) == 2 and "cart" in served(run.workflow_id, "t1.md").lower()


def test_a_release_that_does_not_come_up_takes_the_project_back_and_leaves_nothing(
    engine: str, repository: Path
) -> None:
    broken = QUICK | {"command": "sh -c 'echo no database; exit 7' {port}"}
    config = {"deployment_strategy": "blue_green", "deployment": broken}
    run = until(begun(engine, config, repository=str(repository), requirements=["A cart"]))
    assert run.status == "rolled_back"
    child = Run.objects.get(definition__saga_id=f"{PREFIX}{run.workflow_id}")
    assert "ended with 7 before it answered; the end of its log: no database" in run_view(child)["error"]
    assert processes.marked(f"{root()}/") == []
