"""Where the work of a run lies: one folder for a run, so that what it left can be found and removed."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from orchestration.agents.base import Sandbox

MARK = "ZEN_AGENT_RUN"
"""A variable of every process that a run owns; its value is the run's folder, which no other run of any site has."""
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
KEPT_CHARACTERS = 40
RUN_FILE = "run"
"""In a run's folder: whose it is, since not every id is a name for a folder."""


class RemovalFailed(Exception):
    """A folder of ours could not be removed; the message has the system's words."""


def folder_name(text: str) -> str:
    """A name for a file: the text itself where it is plain, else what is plain of it and a hash. Never two alike."""
    if PLAIN.fullmatch(text) and not text.endswith(".lock"):
        return text
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:KEPT_CHARACTERS] or "x"
    return f"{plain}~{hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()[:20]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of a run. `repository` stays when a project has ended; everything else is temporary."""

    workflow_id: str
    folder: Path

    @classmethod
    def of(cls, workflow_id: str, data_dir: Path | None = None) -> Layout:
        """The layout of a run, in ZEN_DATA_DIR unless another folder is named."""
        home = (data_dir or Path(settings.ZEN_DATA_DIR)).resolve()
        return cls(workflow_id=workflow_id, folder=home / "projects" / folder_name(workflow_id))

    @property
    def env(self) -> dict[str, str]:
        """What the environment of each of the run's processes has to hold: the janitor finds them by it."""
        return {MARK: str(self.folder)}

    def sandboxed(self, sandbox: Sandbox) -> Sandbox:
        """The sandbox for one of the run's processes: it reads the objects of the run's own repository, where its
        worktree borrows them, and nothing of other runs."""
        hidden, readable = (*sandbox.hidden, self.folder.parent), (*sandbox.readable, self.repository / "objects")
        return replace(sandbox, hidden=hidden, readable=readable)

    @property
    def repository(self) -> Path:
        """The bare repository."""
        return self.folder / "repository.git"

    @property
    def worktrees(self) -> Path:
        """One folder for each task: all that an agent may write."""
        return self.folder / "worktrees"

    @property
    def state(self) -> Path:
        """What we know of each worktree; out of the agents' reach."""
        return self.folder / "state"

    @property
    def checkouts(self) -> Path:
        """Clean checkouts, each for one round of checks."""
        return self.folder / "checkouts"

    @property
    def locks(self) -> Path:
        """Files of locks."""
        return self.folder / "locks"

    @property
    def temporary(self) -> tuple[Path, ...]:
        """What has to be gone when the run has ended."""
        return (self.worktrees, self.state, self.checkouts)


def remove(folder: Path) -> None:
    """Remove a folder with whatever it holds: what has no permissions, links, any depth. Nothing out of it is touched.

    Raises:
        RemovalFailed: something of it is still there.
    """
    if not folder.is_symlink() and not folder.exists():
        return
    done = subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)
    if (
        done.returncode and folder.is_dir() and not folder.is_symlink()
    ):  # what cannot be entered cannot be emptied; links are not followed
        open_up = ["find", "-P", str(folder), "-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", ";"]
        subprocess.run(open_up, check=False, capture_output=True)
        done = subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)
    if folder.is_symlink() or folder.exists():
        raise RemovalFailed(f"{folder} could not be removed: {done.stderr.decode(errors='replace')[:500]}")
