from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from orchestration.models import Run
from orchestration.runs import start_run
from tests.system.contract.sagas import ADA


@pytest.fixture
def own_queue(settings: Settings, temporal_dev_server: str, transactional_db: None) -> str:
    """The real server, and a task queue that only this test's worker serves."""
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, f"seals-{uuid.uuid4().hex[:6]}"
    settings.ZEN_SCRIPTS = "unsafe"
    return str(settings.TEMPORAL_TASK_QUEUE)


@pytest.fixture
def run(own_queue: str) -> Run:
    """It waits; to be made to go on by the test's worker."""
    slow = {"saga_id": "slow", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 3600}}]}
    return start_run(definition=slow, actor=ADA, engine="temporal")[0]
