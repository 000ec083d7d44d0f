from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from orchestration import plans
from orchestration.engines.celery import known
from tests.servers import flushing, leaving, overriding, report

pytest_plugins = ["tests.servers.fixtures"]
CONTRACT = Path(__file__).parent / "contract"
LONGEST = (Path(__file__).parent / "crash", CONTRACT)


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"server {line}" for line in report.lines()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No test is skipped for its database: what speaks of PostgreSQL is found by the half that runs there."""
    other = []
    for item in items:
        only = item.get_closest_marker("only_on")
        if CONTRACT in item.path.parents or (only and only.args == ("postgresql",)):
            item.add_marker("both_databases")
        if only and only.args != (connection.vendor,):
            other.append(item)
    if other:
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in other]
    if hasattr(config, "workerinput"):  # side by side: a long file that comes last keeps one process busy alone
        items.sort(key=lambda item: next((n for n, place in enumerate(LONGEST) if place in item.path.parents), 9))


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
    plans.forget()
    known.forget()
