from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.workers.celery import in_process
from orchestration.workers.temporal import worker as on_temporal
from tests.orchestration.agents.endpoints.scenes import added
from tests.system.contract.cast import account
from tests.system.contract.hosts import memory_host
from tests.system.projects.worker import Worker, working

TEST = """\
import unittest


class Shop(unittest.TestCase):
    def test_it(self) -> None:
        self.assertTrue(True)
"""
QUEUES = {"default": 4, "agents": 4}


@pytest.fixture(params=["memory", "celery", "temporal"])
def engine(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """The name of an engine that is up, and that serves the queue of agents too."""
    if request.param == "memory":
        with memory_host() as name:
            yield name
    elif request.param == "celery":
        with in_process.hosted(queues=QUEUES):
            yield "celery"
    else:
        settings = request.getfixturevalue("settings")
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
        settings.TEMPORAL_TASK_QUEUE = f"projects-{request.node.name}"[:100]
        with on_temporal.hosted(queues=QUEUES):
            yield "temporal"


@pytest.fixture(autouse=True)
def place(transactional_db: None, tmp_path: Path, settings: Settings) -> Path:
    """Where projects lie."""
    settings.ZEN_DATA_DIR = tmp_path / "data"
    account("bob")
    for name in ("CLAUDE", "AIDER", "CODEX"):
        added(name.lower(), agent_type=name, concurrency=4)
    return tmp_path


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working(Worker()) as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A user's repository with one test and a Makefile."""
    folder = tmp_path / "shop"
    (folder / "tests").mkdir(parents=True)
    (folder / "Makefile").write_text("test:\n\tpython3 -m unittest discover -s tests -t .\n")
    (folder / "tests" / "test_shop.py").write_text(TEST)
    (folder / "tests" / "__init__.py").write_text("")
    for words in (
        ["init", "-q", "-b", "main"], ["add", "-A"],
        ["-c", "user.name=u", "-c", "user.email=u@example.com", "commit", "-q", "-m", "Begin"],
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder
