"""What a command of somebody else's cannot read on a worker, tried by one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.agents.endpoints.session import sandbox_of
from orchestration.agents.process import sandbox as room
from orchestration.agents.process.private import sandbox_of_commands
from orchestration.agents.workspace.checks.judge import CannotCheck, examine
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.models import AgentEndpoint
from tests.orchestration.agents.process.test_sandbox import attempt

ROOT = Path(__file__).parents[4]


@pytest.fixture
def place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine's home, data folder and secrets, not below /tmp, which is hidden by itself."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    found = Path(tempfile.mkdtemp(prefix="private-", dir=ROOT / ".cache"))
    names = {
        "data/secret_key", "data/zen.sqlite3", "data/projects/other/worktrees/t1/plan.md", "secrets/TOKEN",
        "home/.ssh/id_ed25519", "home/.netrc", "home/.claude/.credentials.json", "home/notes.txt",
    }  # fmt: skip
    for name in names:
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text("seen")
    settings.ZEN_DATA_DIR, settings.ZEN_SECRETS_DIR = found / "data", str(found / "secrets")
    monkeypatch.setenv("HOME", str(found / "home"))
    yield found
    shutil.rmtree(found)


def readable(cwd: Path, place: Path, *, agent: bool) -> set[str]:
    row = AgentEndpoint(sandbox="required", network="host", writable=[])
    sandbox = sandbox_of(row) if agent else sandbox_of_commands()
    files = [file for file in place.rglob("*") if file.is_file()]
    read = attempt(cwd, sandbox, [], files)["read"]
    return {str(Path(name).relative_to(place)) for name, text in read.items() if text == "seen"}


def test_a_check_reads_no_key_no_row_no_secret_and_no_login(bubblewrap: None, worktree: Path, place: Path) -> None:
    assert readable(worktree, place, agent=False) == {"home/notes.txt"}


def test_an_agent_reads_its_own_login_besides(bubblewrap: None, worktree: Path, place: Path) -> None:
    assert readable(worktree, place, agent=True) == {"home/notes.txt", "home/.claude/.credentials.json"}


def test_a_check_is_never_run_unconfined_but_where_the_site_says_so(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.create(Layout.of("r", tmp_path))
    base = repository.base()
    monkeypatch.setattr(room, "bubblewrap", lambda: None)
    for allowed in ("off", "sandboxed"):
        settings.ZEN_SCRIPTS = allowed
        with pytest.raises(CannotCheck, match="the check `true` is not run: the sandbox is required"):
            examine(repository, base, base, ["true"], sandbox=sandbox_of_commands())
    settings.ZEN_SCRIPTS = "unsafe"
    assert examine(repository, base, base, ["true"], sandbox=sandbox_of_commands()).checks[0].passed


def test_a_command_that_names_a_folder_below_tmp_shows_nothing_that_is_hidden(
    bubblewrap: None, worktree: Path, tmp_path: Path, settings: Settings
) -> None:
    """Where the data folder itself lies below /tmp: the word of a command shows its folder again."""
    keys = tmp_path / "data" / "secret_key"
    keys.parent.mkdir()
    keys.write_text("seen")
    settings.ZEN_DATA_DIR = tmp_path / "data"
    script = f"cat {keys}; ls {keys.parent}"
    words = room.confined(
        ["/bin/sh", "-c", script, str(tmp_path)],
        cwd=worktree,
        sandbox=sandbox_of_commands(),
        env={"PATH": "/bin:/usr/bin"},
    )
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "seen" not in done.stdout and "secret_key" not in done.stdout, done


def test_what_is_shown_shows_nothing_of_the_site_within(bubblewrap: None, worktree: Path, place: Path) -> None:
    """As the program's own folder is shown to the scripted agent, in which data and keys may lie."""
    (place / "data" / "objects").mkdir()
    (place / "data" / "objects" / "one").write_text(", and objects")
    boxed = replace(sandbox_of_commands(), readable=(place / "data" / "objects", place))
    script = f"cat {place}/data/secret_key {place}/home/.netrc {place}/home/notes.txt {place}/data/objects/one"
    words = room.confined(["/bin/sh", "-c", script], cwd=worktree, sandbox=boxed, env={"PATH": "/bin:/usr/bin"})
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == "seen, and objects"


@pytest.mark.skipif(not room._knows_sizes(), reason="this bubblewrap bounds no private folder")
def test_no_hidden_place_and_no_device_takes_the_memory_of_the_machine(
    bubblewrap: None, worktree: Path, place: Path
) -> None:
    bounds = replace(sandbox_of_commands().bounds, memory_bytes=8 * 1024**2)
    sandbox = replace(sandbox_of_commands(), bounds=bounds)
    for target in (place / "data", Path("/dev/shm"), Path("/dev"), Path("/run")):
        script = (
            f"dd if=/dev/zero of={target}/fill bs=1M count=32 2>/dev/null; du -sm {target} | cut -f1; echo >/dev/null"
        )
        words = room.confined(["/bin/sh", "-c", script], cwd=worktree, sandbox=sandbox, env={"PATH": "/bin:/usr/bin"})
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert int(done.stdout.split()[0]) <= 9, f"{target}: {done}"
