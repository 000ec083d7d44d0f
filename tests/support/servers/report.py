"""Which servers are real in this run: for the header of pytest and of `make test`."""

import os

from tests.support.servers import chromium, time_skipping
from zen_project.embedded import postgres, temporal, valkey
from zen_project.embedded.find import Found

GIVEN = {
    "temporal": "ZEN_TEST_TEMPORAL_ADDRESS",
    "valkey": "ZEN_TEST_VALKEY_URL",
    "postgres": "ZEN_TEST_POSTGRES_URL",
}


def lines() -> list[str]:
    return [f"{found.server + ':':<15}{described(found)}" for found in available()]


def available() -> list[Found]:
    return [module.available() for module in (temporal, time_skipping, valkey, postgres, chromium)]


def described(found: Found) -> str:
    if os.environ.get(GIVEN.get(found.server, "")):
        return f"real, by {GIVEN[found.server]}"
    return f"real, {found.path} ({found.how})" if found.path else f"MISSING. To get it: {found.how}"
