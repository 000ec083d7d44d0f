"""What a program in the sandbox can touch, tried by a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.agents.base import Sandbox
from orchestration.agents.process import sandbox as room
from orchestration.agents.process.sandbox import NoSandbox, confined

TRY = (
    "import json, os, pathlib, sys\n"
    "def tried(place):\n"
    "    try:\n"
    "        pathlib.Path(place).write_text('x'); return 'written'\n"
    "    except OSError as error:\n"
    "        return error.strerror\n"
    "def read(place):\n"
    "    try:\n"
    "        return pathlib.Path(place).read_text()\n"
    "    except OSError as error:\n"
    "        return error.strerror\n"
    "write, see = json.loads(sys.argv[1])\n"
    "pids = len([one for one in os.listdir('/proc') if one.isdigit()])\n"
    "lines = open('/proc/net/dev').read().splitlines()[2:]\n"
    "print(json.dumps({'wrote': {one: tried(one) for one in write}, 'read': {one: read(one) for one in see},\n"
    "    'cwd': os.getcwd(), 'pids': pids, 'net': [one.partition(':')[0].strip() for one in lines]}))\n"
)
READ_ONLY = "Read-only file system"


def attempt(cwd: Path, sandbox: Sandbox, write: list[Path], read: list[Path]) -> dict[str, dict[str, str]]:
    words = [sys.executable, "-c", TRY, json.dumps([[str(one) for one in write], [str(one) for one in read]])]
    command = confined(words, cwd=cwd, sandbox=sandbox, env=os.environ)
    said = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    found: dict[str, dict[str, str]] = json.loads(said.stdout)
    return found


@pytest.fixture
def cwd(worktree: Path, bubblewrap: None) -> Path:
    return worktree


def test_its_folder_is_writable_but_not_git(cwd: Path) -> None:
    write = [cwd / "a", cwd / ".git" / "config", cwd / ".git" / "new", Path("/usr/x"), Path(__file__)]
    wrote = attempt(cwd, Sandbox(), write, [])["wrote"]
    assert list(wrote.values()) == ["written", READ_ONLY, READ_ONLY, READ_ONLY, READ_ONLY]
    assert (cwd / "a").read_text() == "x"


def test_a_linked_worktree_keeps_its_link(cwd: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(cwd), "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "base"], check=True)
    linked = tmp_path / "linked"
    subprocess.run([*git, "worktree", "add", "-q", str(linked)], check=True, capture_output=True)
    wrote = attempt(linked, Sandbox(), [linked / ".git", linked / "b"], [])["wrote"]
    assert list(wrote.values()) == [READ_ONLY, "written"]


def test_tmp_is_its_own(cwd: Path) -> None:
    place = Path("/tmp") / f"zen-test-{os.getpid()}"
    assert attempt(cwd, Sandbox(), [place], [])["wrote"][str(place)] == "written"
    assert not place.exists()


HERE = Path(__file__).resolve().parent


def test_what_is_hidden_is_not_there_and_what_lies_in_it_may_be_shown(cwd: Path) -> None:
    of_tests, secret = HERE.parent, HERE.parents[2] / "conftest.py"
    sandbox = Sandbox(hidden=(of_tests, secret), readable=(HERE,))
    read = [of_tests / "conftest.py", Path(__file__), secret]
    before = attempt(cwd, Sandbox(readable=(HERE.parents[2],)), [], read)["read"]
    assert all("import " in text for text in before.values())
    missing, shown, emptied = attempt(cwd, sandbox, [], read)["read"].values()
    assert missing == "No such file or directory" and "import " in shown and "import" not in emptied


def test_the_folders_named_writable_are(cwd: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    sandbox = Sandbox(writable=(state, tmp_path / "not-there"))
    assert list(attempt(cwd, sandbox, [state / "kept"], [])["wrote"].values()) == ["written"]
    assert (state / "kept").exists()


def test_it_sees_no_process_and_no_network_of_ours(cwd: Path) -> None:
    found: dict[str, object] = {**attempt(cwd, Sandbox(network="none"), [], [])}
    assert found["pids"] in {1, 2, 3} and found["cwd"] == str(cwd) and found["net"] == ["lo"]


def test_a_program_below_tmp_is_found_there(cwd: Path, tmp_path: Path) -> None:
    place = tmp_path / "bin" / "agent"
    place.parent.mkdir()
    place.write_text("#!/bin/sh\necho here\n")
    place.chmod(0o755)
    command = confined([str(place)], cwd=cwd, sandbox=Sandbox(), env=os.environ)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "here\n"


def test_without_bubblewrap_it_is_refused_or_goes_without_as_was_said(
    worktree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "bubblewrap", lambda: None)
    with pytest.raises(NoSandbox, match="install bubblewrap"):
        confined(["true"], cwd=worktree, sandbox=Sandbox(mode="required"), env={})
    assert confined(["true"], cwd=worktree, sandbox=Sandbox(), env={}) == ["true"]


def test_off_is_off(worktree: Path) -> None:
    assert confined(["true"], cwd=worktree, sandbox=Sandbox(mode="off"), env={}) == ["true"]
