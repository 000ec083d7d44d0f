from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from foundation import telemetry
from monitoring import dashboard
from monitoring.watch import metrics
from orchestration.attempt_log import buffer, current
from orchestration.engines.celery import state_cache
from orchestration.ledger import plan_cache
from tests.support import examples
from tests.support.servers import flushing, leaving, overriding, report
from zen_project.web import readiness

pytest_plugins = ["tests.support.servers.fixtures", "tests.support.peer_fixture"]
SYSTEM = Path(__file__).parent / "system"
CONTRACT = SYSTEM / "contract"
SERVERS = {
    "temporal_dev_server", "time_skipping_server", "skipping_server", "leaping_server", "valkey_url", "postgres_url",
    "process_env", "page", "browser",
}  # fmt: skip
"""Fixtures that start a real server, a browser or processes."""
LONGEST = (SYSTEM / "crash", CONTRACT)
collect_ignore = ["orchestration/api/test_schemathesis.py"] if examples.FEW else []
"""Its tests commit, so `make test-fast` has none of them; making them takes longer than to collect all others."""


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"server {line}" for line in report.lines()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No test is skipped for its database: what speaks of PostgreSQL is found by the half that runs there."""
    other = []
    for item in items:
        only = item.get_closest_marker("only_on")
        if CONTRACT in item.path.parents or (only and only.args == ("postgresql",)):
            item.add_marker("both_databases")
        if SYSTEM in item.path.parents or SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
        if _commits(item):
            item.add_marker("commits")
        if only and only.args != (connection.vendor,):
            other.append(item)
    if other:
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in other]
    if hasattr(config, "workerinput"):  # side by side: a long file that comes last keeps one process busy alone
        items.sort(key=lambda item: next((n for n, place in enumerate(LONGEST) if place in item.path.parents), 9))


def _commits(item: pytest.Item) -> bool:
    """Its rows are committed, and every table is emptied after it."""
    database = item.get_closest_marker("django_db")
    asked = database is not None and database.kwargs.get("transaction")
    return bool(asked or {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    flushing.let_it_pass()
    overriding.in_one_step()
    yield
    with django_db_blocker.unblock():
        leaving.until_alone()


@pytest.fixture(autouse=True)
def _no_memory_of_other_rows() -> None:
    """Ids begin anew after each test, and a process keeps runs, states and plans by theirs."""
    plan_cache.forget()
    state_cache.forget()
    dashboard.forget()
    metrics.forget()
    readiness.forget()
    telemetry.take()


@pytest.fixture(autouse=True)
def _no_lines_of_other_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The thread that writes what attempts log has a connection of its own, so it works in tests that commit only."""
    commits = _commits(request.node)
    if commits:
        request.getfixturevalue("transactional_db")  # it empties the tables once nothing is written any more
    monkeypatch.setattr(buffer, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(buffer.BUFFER, "automatic", commits)
    yield
    buffer.BUFFER.forget()
    current.forget()
