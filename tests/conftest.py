from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.servers import flushing, leaving, report

pytest_plugins = ["tests.servers.fixtures"]
CONTRACT = Path(__file__).parent / "contract"


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"server {line}" for line in report.lines()]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if CONTRACT in item.path.parents:
            item.add_marker("both_databases")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    flushing.let_it_pass()
    yield
    with django_db_blocker.unblock():
        leaving.until_alone()
