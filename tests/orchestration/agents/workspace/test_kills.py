"""kill -9 between any two steps, and within git itself: repeating gives one commit, one merge, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.history import entries, merges
from orchestration.agents.workspace.janitor import janitor
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.merge import merge, revert
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.worktree import Worktree
from tests.orchestration.agents.workspace.work import files_of, write

pytestmark = [pytest.mark.crash, pytest.mark.slow]
CALLS = 55
"""More than the calls of git that the whole work makes."""


@dataclass(frozen=True)
class Kill:
    """At which call of git, counted by each process from 0; `within`: git is killed too, after so many microseconds."""

    call: int
    when: Literal["before", "after", "within"]
    microseconds: int = 0


def work(layout: Layout) -> None:
    """Two tasks, both merged, the first taken out again: as an engine does it, which records what each step gave."""
    Repository.create(layout)
    repository = Repository(layout=layout).opened()
    for name in ("t1", "t2"):
        made = step(layout, f"commit {name}", lambda name=name: attempt(repository, name))  # type: ignore[misc]
        step(layout, f"merge {name}", lambda made=made: merge(repository, made))  # type: ignore[misc]
    step(layout, "revert t1", lambda: revert(repository, recorded(layout)["merge t1"]))


def attempt(repository: Repository, name: str) -> str:
    """A killed one goes on in its worktree where there is a whole one."""
    branch = f"zen/shop/{name}"
    found = Worktree.open(repository, branch) or Worktree.add(repository, branch, repository.base())
    write(found.path, {name: f"{name}\n", f"tests/test_{name}.py": "def test(): ...\n"})
    made = commit(found, f"Make {name}", Trailers(run="shop", task=name)).sha
    assert made is not None
    return made


def recorded(layout: Layout) -> dict[str, str]:
    path = layout.folder / "recorded.json"
    return json.loads(path.read_text()) if path.exists() else {}


def step(layout: Layout, name: str, do: Callable[[], object]) -> str:
    """What was recorded is not done again; what was done and not recorded is."""
    known = recorded(layout)
    if name not in known:
        known[name] = str(do())
        unfinished = layout.folder / "recorded.unfinished"
        unfinished.write_text(json.dumps(known))
        unfinished.rename(layout.folder / "recorded.json")
    return known[name]


def killed(layout: Layout, kill: Kill) -> bool:
    """Do the work in a process of its own, which is killed as told. Whether it came to its end before."""
    pid = os.fork()
    if pid == 0:
        try:
            Git.run = _deadly(Git.run, kill)  # type: ignore[method-assign]
            work(layout)
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a fork never returns into pytest
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, code
    return code == 0


def _deadly(run: Callable[..., tuple[int, bytes]], kill: Kill) -> Callable[..., tuple[int, bytes]]:
    calls = 0

    def counted(self: Git, *arguments: str, **more: object) -> tuple[int, bytes]:
        nonlocal calls
        here, calls = calls == kill.call, calls + 1
        if here and kill.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if here and kill.when == "within":
            _kill_git_after(kill.microseconds)
        found = run(self, *arguments, **more)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return counted


def _kill_git_after(microseconds: int) -> None:
    """The next program that is started is killed a little later, and we with it: neither tidies up."""
    start = subprocess.Popen.__init__

    def started(self: subprocess.Popen[bytes], *arguments: object, **more: object) -> None:
        start(self, *arguments, **more)  # type: ignore[call-overload]
        time.sleep(microseconds / 1e6)
        os.kill(self.pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    subprocess.Popen.__init__ = started  # type: ignore[assignment, method-assign]


def held(layout: Layout) -> None:
    """What holds of the whole work, however often it was begun."""
    repository = Repository(layout=layout)
    tasks = Counter(one.task for one in entries(repository) if one.merges)
    assert tasks == {"t1": 1, "t2": 1}
    assert [one.reverts for one in entries(repository) if one.reverts] == [recorded(layout)["merge t1"]]
    assert [one.task for one in merges(repository)] == ["t2"]
    assert files_of(repository, INTEGRATION) == {"t2": "t2\n", "tests/test_t2.py": "def test(): ...\n"}
    for name in ("t1", "t2"):
        made = repository.head(f"zen/shop/{name}")
        assert made == recorded(layout)[f"commit {name}"]
        assert repository.git.out("rev-list", "--count", f"{repository.base()}..{made}") == "1"
    assert repository.git.run("fsck", "--no-dangling", "--strict")[0] == 0
    report = janitor("shop", data_dir=layout.folder.parents[1])
    assert report.is_clean, report.to_json()
    assert list(layout.folder.rglob("*.lock")) == [] and list(layout.folder.rglob("*unfinished*")) == []
    assert sorted(path.name for path in layout.folder.iterdir()) == ["locks", "recorded.json", "repository.git", "run"]


kills = st.builds(
    Kill, st.integers(0, CALLS), st.sampled_from(["before", "after", "within"]), st.sampled_from([0, 300, 1000, 3000])
)


@given(st.lists(kills, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([])
@example([Kill(call, "within", 1500) for call in range(10)])
def test_repeating_after_kills_gives_one_of_each(told: list[Kill]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout.of("shop", Path(folder))
        for kill in told:
            killed(layout, kill)
        assert killed(layout, Kill(-1, "before"))
        held(layout)


def test_every_call_of_git_may_be_the_last(tmp_path: Path) -> None:
    """One work that is killed after its first call, then after its second, and so on, until it is through."""
    layout, calls = Layout.of("shop", tmp_path), 0
    while not killed(layout, Kill(calls, "after")):
        calls += 1
    assert 10 < calls < CALLS
    held(layout)


@pytest.mark.parametrize(
    "name", ["refs/heads/main.lock", "refs/heads/zen/shop/t1.lock", "HEAD.lock", "packed-refs.lock"]
)
def test_a_lock_that_a_killed_git_left_stops_nobody(tmp_path: Path, name: str) -> None:
    layout = Layout.of("shop", tmp_path)
    assert not killed(layout, Kill(14, "before"))
    lock = layout.repository / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    begun = time.monotonic()
    assert killed(layout, Kill(-1, "before"))
    assert time.monotonic() - begun < 15
    held(layout)


def test_locks_of_an_index_are_cleared_too(tmp_path: Path) -> None:
    layout = Layout.of("shop", tmp_path)
    repository = Repository.create(layout)
    worktree = Worktree.add(repository, "zen/shop/t1", repository.base())
    for name in ("scratch.lock", "scratch", "index.lock"):
        (worktree.state / name).touch()
    assert attempt(repository, "t1")
