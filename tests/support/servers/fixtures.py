"""Fixtures. A server that cannot be had is a loud skip that names the way to get it, and with CI=true a failure."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.servers import environment, skipping, time_skipping
from zen_project.embedded import postgres, temporal, valkey
from zen_project.embedded.find import Found


def missing(server: str, remedy: str) -> NoReturn:
    message = f"no {server} here. To get one: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def need(available: Callable[[], Found]) -> None:
    found = available()
    if found.path is None:
        missing(found.server, found.how)


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=environment.folder(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def temporal_dev_server(server_dir: Path) -> Iterator[str]:
    """host:port of a real Temporal server with the namespace `default`, in memory."""
    if given := os.environ.get("ZEN_TEST_TEMPORAL_ADDRESS"):
        yield given
        return
    need(temporal.available)
    with temporal.temporal_dev_server(server_dir, database=None) as server:
        yield server.address


@pytest.fixture(scope="session")
def time_skipping_server() -> Path:
    """The program of one."""
    try:
        return time_skipping.program()
    except time_skipping.Missing as error:
        missing("time-skipping Temporal server", str(error))


@pytest.fixture(scope="session")
def skipping_server(time_skipping_server: Path, server_dir: Path) -> Iterator[skipping.SkippingServer]:
    """One of them, running, on whose clock nobody skips."""
    with skipping.running(time_skipping_server, server_dir) as server:
        yield server


@pytest.fixture(scope="session")
def leaping_server(time_skipping_server: Path, server_dir: Path) -> Iterator[skipping.SkippingServer]:
    """Another one, for those who skip: its clock may be days ahead."""
    with skipping.running(time_skipping_server, server_dir) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(server_dir: Path) -> Iterator[str]:
    """redis://… of a real Valkey or Redis that nobody else uses."""
    if given := os.environ.get("ZEN_TEST_VALKEY_URL"):
        yield given
        return
    need(valkey.available)
    with valkey.valkey(server_dir) as server:
        yield server.address


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """postgres://…/postgres of a real server where the tests may create databases."""
    if "ZEN_TEST_POSTGRES_URL" not in os.environ:
        need(postgres.available)
    return environment.postgres_url()


@pytest.fixture
def process_env(transactional_db: None) -> dict[str, str]:
    """The environment for a child process that works on this test's database."""
    return environment.for_processes()
