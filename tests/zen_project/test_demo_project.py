"""The demonstration's project ends as it says, on both engines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings
from rich.console import Console

from orchestration.projects.deployment.local.folder import folders
from orchestration.projects.deployment.local.releases import stop_all
from zen_project.demo.project import tell_of_a_project
from zen_project.demo.stage import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(params=["celery", "temporal"])
def engine(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[str]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    with ExitStack() as left:
        if request.param == "temporal":
            settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
            settings.TEMPORAL_TASK_QUEUE = "demo-project"
        left.callback(lambda: [stop_all(one) for one in folders()])
        left.enter_context(workers(request.param))
        yield request.param


def test_the_one_that_lies_is_named_and_the_page_reaches_its_users(engine: str) -> None:
    said = io.StringIO()
    assert tell_of_a_project(Console(file=said, width=200), engine), said.getvalue()
    told = said.getvalue()
    assert "prices  demo-codex lied: it said “Done. All tests pass.”" in told and "prices  demo-codex done" in told
    assert (
        "says: Open on Mondays" in told and "says: Open every day" in told and told.count("left behind: nothing") == 2
    )
