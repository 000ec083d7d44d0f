"""What a command of somebody else's cannot read on a worker, tried by one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
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
