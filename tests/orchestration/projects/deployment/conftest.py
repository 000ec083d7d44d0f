from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.projects.deployment.local.folder import folders
from orchestration.projects.deployment.local.releases import stop_all
from tests.orchestration.projects.deployment.shop import Shop
from tests.system.contract.conftest import engine as engine  # the same engines


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A data folder of its own; whatever a test leaves running in it is ended."""
    folder = tmp_path / "data"
    folder.mkdir()
    settings.ZEN_DATA_DIR = folder
    yield folder
    for one in folders():
        stop_all(one)


@pytest.fixture
def shop(data: Path, engine: str) -> Shop:
    return Shop(data, engine)
