from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.projects.deployment.local.folder import folders
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.workers.temporal.worker import hosted
from tests.orchestration.projects.deployment.shop import Shop
from tests.system.contract import hosts


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A data folder of its own; whatever a test leaves running in it is ended."""
    folder = tmp_path / "data"
    folder.mkdir()
    settings.ZEN_DATA_DIR = folder
    yield folder
    for one in folders():
        stop_all(one)


@pytest.fixture(params=["celery", "temporal"])
def engine(request: pytest.FixtureRequest, transactional_db: None, settings: Settings) -> Iterator[str]:
    """Each of the two engines, with a worker."""
    if request.param == "celery":
        with hosts.celery_host() as name:
            yield name
        return
    settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
    settings.TEMPORAL_TASK_QUEUE = f"deployment-{request.node.name}"[:100]
    with hosted():
        yield "temporal"


@pytest.fixture
def shop(data: Path, engine: str) -> Shop:
    return Shop(data, engine)
