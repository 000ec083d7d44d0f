from __future__ import annotations

import pytest

from tests.support.peer import Peer


@pytest.fixture
def worker_env(process_env: dict[str, str], peer: Peer, valkey_url: str) -> dict[str, str]:
    """For worker processes: the test's database, a real broker, short leases."""
    return process_env | {
        "ZEN_OUTBOUND_ALLOW": peer.address,
        "CELERY_BROKER_URL": valkey_url,
        "ZEN_WORKER_LEASE_SECONDS": "3",
        "ZEN_LOG_LEVEL": "warning",
    }
