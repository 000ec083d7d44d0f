"""What the tests find in os.environ: nothing of the developer's own Zen, one temporary data folder for the session."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from django.db import connection

from zen_project.embedded.postgres import postgres
from zen_project.embedded.process import OwnedServer

OWN = ("ZEN_", "TEMPORAL_", "CELERY_", "REDIS_", "NATS_", "KAFKA_", "WORKFLOW_", "DATABASE_URL", "SECRET_KEY")
KEPT = ("ZEN_TEST_", "ZEN_TEMPORAL_BINARY", "ZEN_VALKEY_BINARY", "ZEN_POSTGRES_BINARY")

_postgres: OwnedServer | None = None


def prepare() -> None:
    for name in [name for name in os.environ if name.startswith(OWN) and not name.startswith(KEPT)]:
        del os.environ[name]
    if "ZEN_TEST_DIR" not in os.environ:  # workers of pytest-xdist inherit it, as they do the database server
        os.environ["ZEN_TEST_DIR"] = tempfile.mkdtemp(prefix="zen-tests-")
        atexit.register(shutil.rmtree, os.environ["ZEN_TEST_DIR"], ignore_errors=True)
    os.environ["ZEN_DATA_DIR"] = str(folder() / "data" / os.environ.get("PYTEST_XDIST_WORKER", ""))
    os.environ["ZEN_SECRET_KEY"] = "only-for-tests-" * 4
    os.environ["ZEN_AGENT_NICE"] = "0"  # the tests wait for what agents do, and nobody uses the site meanwhile
    if os.environ.get("ZEN_TEST_DATABASE") == "postgres":
        os.environ["DATABASE_URL"] = postgres_url()


def folder() -> Path:
    return Path(os.environ["ZEN_TEST_DIR"])


def postgres_url() -> str:
    """ZEN_TEST_POSTGRES_URL, else a server of our own for this session."""
    global _postgres
    if "ZEN_TEST_POSTGRES_URL" not in os.environ:
        _postgres = postgres(folder())
        os.environ["ZEN_TEST_POSTGRES_URL"] = _postgres.address
    return os.environ["ZEN_TEST_POSTGRES_URL"]


def test_database() -> dict[str, str]:
    """A file, so that worker processes of a test see the same database as the test."""
    return {} if os.environ.get("ZEN_TEST_DATABASE") == "postgres" else {"NAME": str(folder() / "tests.sqlite3")}


def database_url() -> str:
    """Of the database that the running test uses: for DATABASE_URL of a process that the test starts."""
    entry = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{entry['NAME']}"
    password = f":{entry['PASSWORD']}" if entry["PASSWORD"] else ""
    return f"postgres://{entry['USER']}{password}@{entry['HOST']}:{entry['PORT']}/{entry['NAME']}"


def for_processes() -> dict[str, str]:
    """os.environ for `manage.py …` or `celery …` as a child of a test, on the test's own database."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "zen_project.settings",
        "DATABASE_URL": database_url(),
        "PYTHONWARNINGS": "default",
        "ZEN_WORKER_LEASE_SECONDS": "60",  # a process that waits for the machine has not died
        "ZEN_RECOVERY": "off",  # a run that a test leaves in trouble stays so
    }
