from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from orchestration import plans
from orchestration.engines.celery import known
from tests.peer import Peer, serving


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    plans.forget()
    known.forget()
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running


@pytest.fixture
def worker_env(process_env: dict[str, str], peer: Peer, valkey_url: str) -> dict[str, str]:
    """For worker processes: the test's database, a real broker, short leases."""
    return process_env | {
        "ZEN_OUTBOUND_ALLOW": peer.address,
        "CELERY_BROKER_URL": valkey_url,
        "ZEN_WORKER_LEASE_SECONDS": "3",
        "ZEN_LOG_LEVEL": "warning",
    }
