from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.actions.base import Call
from orchestration.core.enums import Purpose
from tests.support.servers.fixtures import missing


@pytest.fixture
def call() -> Callable[..., Call]:
    """A call with this action; the other fields by name."""

    def build(**action: Any) -> Call:
        purpose = action.pop("purpose", Purpose.FORWARD)
        seconds = action.pop("seconds", 5.0)
        return Call(
            workflow_id="w",
            step_id="s",
            purpose=purpose,
            iteration=1,
            attempt=1,
            idempotency_key="w:s:forward:1",
            timeout_seconds=seconds,
            action=action,
        )

    return build


@pytest.fixture
def sandboxed(settings: Settings) -> None:
    if shutil.which("bwrap") is None:
        missing("bubblewrap", "install the package bubblewrap")
    settings.ZEN_SCRIPTS = "sandboxed"


@pytest.fixture(params=["sandboxed", "unsafe"])
def allowed(request: pytest.FixtureRequest, settings: Settings) -> str:
    """What ZEN_SCRIPTS says."""
    if request.param == "sandboxed":
        request.getfixturevalue("sandboxed")
    settings.ZEN_SCRIPTS = request.param
    return str(request.param)
