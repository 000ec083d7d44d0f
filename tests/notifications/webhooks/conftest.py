from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from foundation.outbound import transport
from tests.support.peer import Peer, serving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Peer]:
    """A real HTTP server that the site may call without TLS."""
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running
    transport.close()
