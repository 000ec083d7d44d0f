"""What a test does in a worktree, and what it looks up in a repository."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.repository import Repository
from orchestration.agents.workspace.worktree import Worktree


def git(folder: Path, *words: str) -> str:
    """The machine's git as an agent or a user calls it: obeying whatever lies in the folder."""
    who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(folder: Path, files: Mapping[str, str | None]) -> None:
    """None deletes the file."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def task(
    repository: Repository, name: str, files: Mapping[str, str | None], *, at: str = "", message: str = "Do it"
) -> str:
    """The commit of a task that wrote these files, from the head of the integration branch or from `at`."""
    worktree = Worktree.add(repository, f"zen/shop/{name}", at or repository.head() or "")
    write(worktree.path, files)
    made = commit(worktree, message, Trailers(run="shop", task=name, requirements=("R1",))).sha
    assert made is not None
    return made


def files_of(repository: Repository, commit: str) -> dict[str, str]:
    """The names and texts of a commit's files."""
    names = repository.git.records("ls-tree", "-r", "-z", "--name-only", commit)
    return {
        name.decode("utf-8", "backslashreplace"): repository.git.run(
            "cat-file", "blob", f"{commit}:{name.decode(errors='surrogateescape')}"
        )[1].decode(errors="replace")
        for name in names
    }
