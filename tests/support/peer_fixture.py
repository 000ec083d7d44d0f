"""A peer that steps may call, for every test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from foundation.outbound import circuit_breaker, transport
from tests.support.peer import Peer, serving


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    """Its address is allowed; breakers are closed before, and kept connections after."""
    circuit_breaker.reset()
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running
    transport.close()
