from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.actions import breaker, transport
from orchestration.actions.base import Call
from orchestration.core.words import Purpose
from tests.peer import Peer, serving


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    breaker.reset()
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running
    transport.close()


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
