"""Nothing of a run is left, and the report that says so would say the contrary too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.agents.workspace import owned
from orchestration.agents.workspace.checks.checkout import clean_checkout
from orchestration.agents.workspace.janitor import Leftovers, Report, janitor, leftovers
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.merge import merge
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.worktree import Worktree
from tests.orchestration.agents.workspace.work import files_of, task
from tests.support.waiting import PATIENCE_SECONDS, wait_until

LISTENS = """\
import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(600)
"""


@pytest.fixture
def run_of(layout: Layout) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes to be reaped at the end, whoever killed them."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def clean(layout: Layout, **more: bool) -> Report:
    return janitor(layout.workflow_id, data_dir=layout.folder.parents[1], **more)


def test_what_a_run_left_is_removed_and_its_result_stays(repository: Repository) -> None:
    made = merge(repository, task(repository, "t1", {"a": "a"}))
    task(repository, "t2", {"b": "b"})
    clean_checkout(repository, str(made), repository.layout.checkouts / "c-1" / "files")
    refs = repository.layout.repository / "refs" / "heads"
    (refs / "main.lock").touch()
    (repository.layout.repository / "packed-refs.lock").touch()
    (repository.layout.repository / "objects" / "tmp_obj_x").touch()
    report = clean(repository.layout)
    assert report.is_clean, report.to_json()
    assert set(report.found.branches) == {"zen/shop/t1", "zen/shop/t2"}
    assert len(report.found.unfinished) == 3 and len(report.found.worktrees) == 4 and report.found.checkouts == ("c-1",)
    assert files_of(repository, INTEGRATION) == {"a": "a"} and repository.branches() == []
    assert clean(repository.layout).found.is_empty


def test_without_its_repository_nothing_stays(repository: Repository) -> None:
    task(repository, "t1", {"a": "a"})
    assert clean(repository.layout, keep_repository=False).is_clean
    assert not repository.layout.folder.exists()


def test_a_run_that_never_began_leaves_nothing(layout: Layout) -> None:
    assert clean(layout).is_clean


def test_processes_that_carry_the_mark_and_their_ports_are_ended(
    repository: Repository, run_of: list[subprocess.Popen[bytes]]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENS],
        stdout=subprocess.PIPE,
        env=os.environ | repository.layout.env,
        start_new_session=True,
    )
    run_of.append(process)
    assert process.stdout is not None
    with process.stdout as told:
        port = int(told.readline())
    assert leftovers(repository.layout).ports == (port,)
    report = clean(repository.layout)
    assert report.found.processes == (process.pid,) and report.found.ports == (port,)
    assert report.is_clean and process.wait(PATIENCE_SECONDS) == -9


def test_processes_that_work_in_a_worktree_are_ended_though_they_shed_the_mark(
    repository: Repository, run_of: list[subprocess.Popen[bytes]]
) -> None:
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    run_of.append(subprocess.Popen(["env", "-i", "/bin/sleep", "600"], cwd=worktree.path, start_new_session=True))
    wait_until(lambda: owned.processes(repository.layout) == [run_of[0].pid], "the process")
    assert clean(repository.layout).is_clean
    assert run_of[0].wait(PATIENCE_SECONDS) == -9


def test_processes_of_other_runs_and_of_what_was_deployed_live_on(
    repository: Repository, tmp_path: Path, run_of: list[subprocess.Popen[bytes]]
) -> None:
    released = clean_checkout(repository, repository.base(), repository.layout.folder / "releases" / "1")
    run_of += [
        subprocess.Popen(["sleep", "600"], env=os.environ | Layout.of("shop2", tmp_path).env),
        subprocess.Popen(["sleep", "600"], cwd=released),
    ]
    assert clean(repository.layout).found.processes == ()
    assert [process.poll() for process in run_of] == [None, None]


def test_a_report_that_is_not_clean_says_what_is_left(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    task(repository, "t1", {"a": "a"})
    monkeypatch.setattr("orchestration.agents.workspace.janitor.remove", lambda folder: None)
    report = clean(repository.layout)
    assert not report.is_clean
    assert report.left.worktrees and report.to_json()["clean"] is False
    assert Leftovers().is_empty and not report.left.is_empty
