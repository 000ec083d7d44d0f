from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.workers.temporal.worker import hosted
from tests.system.contract.hosts import celery_host, memory_host


@pytest.fixture(params=["memory", "celery", "temporal", "time-skipping"])
def engine(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """The name of an engine that is up and makes runs go on; `time-skipping` is temporal on its other server."""
    if request.param == "memory":
        with memory_host() as name:
            yield name
        return
    if request.param == "celery":
        with celery_host() as name:
            yield name
        return
    settings = request.getfixturevalue("settings")
    if request.param == "temporal":
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
    else:
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("skipping_server").address
    settings.TEMPORAL_TASK_QUEUE = f"contract-{request.node.name}"[:100]
    with hosted():
        yield "temporal"


@pytest.fixture
def on_temporal(transactional_db: None, request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
    settings.TEMPORAL_TASK_QUEUE = f"contract-{request.node.name}"[:100]
    with hosted():
        yield


@pytest.fixture(autouse=True)
def _unused(transactional_db: Any) -> None:
    """Every contract test works on real transactions."""
