from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.monitoring.retention.scenes import TASKS


@pytest.fixture(autouse=True)
def handlers(settings: Settings) -> None:
    settings.ZEN_TASKS = TASKS
