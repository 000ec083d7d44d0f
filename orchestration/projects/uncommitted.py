"""What a repository of this machine has that is not committed, which no agent will see: told before a project starts.

Files are read and hashed here and never by git, since its filters would be the repository's own programs.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from orchestration.agents.workspace.git import Git, GitFailed

MOST_FILES, MOST_BYTES, SECONDS = 2000, 20_000_000, 10.0
"""Of a repository that is looked at; of a larger one only what is new or staged is told."""
NAMED = 3


def warnings_of_uncommitted(folder: Path) -> list[str]:
    """One warning where the folder has changes that are not committed; none where git cannot tell."""
    if not (folder / ".git").is_dir():
        return []
    git = Git(git_dir=folder / ".git").on(folder, folder / ".git" / "index")
    try:
        found = list(dict.fromkeys([*_staged(git), *_changed(git, folder), *_new(git)]))
    except (GitFailed, OSError):
        return []
    if not found:
        return []
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    named = ", ".join(repr(name[:80]) for name in found[:NAMED])
    return [f"repository has what is not committed, and no agent sees that: {named}{more}; commit it first"]


def _names(git: Git, *arguments: str) -> Iterator[str]:
    """What git names, NUL between them."""
    _, told = git.run(*arguments, seconds=SECONDS)
    return (os.fsdecode(name) for name in told.split(b"\0") if name)


def _staged(git: Git) -> Iterator[str]:
    return _names(git, "diff-index", "--cached", "--name-only", "-z", "HEAD")


def _new(git: Git) -> Iterator[str]:
    return _names(git, "ls-files", "--others", "--exclude-standard", "--directory", "-z")


def _changed(git: Git, folder: Path) -> Iterator[str]:
    """Tracked files whose bytes are others than those in the index, or that are gone."""
    tracked = list(_names(git, "ls-files", "--stage", "-z"))
    left = MOST_BYTES
    if len(tracked) > MOST_FILES or any(line.endswith(".gitattributes") for line in tracked):
        return  # what git would have written may be other bytes
    for line in tracked:
        about, _, name = line.partition("\t")
        mode, digest, _ = about.split()
        if mode not in ("100644", "100755"):
            continue
        try:
            seen = (folder / name).lstat()
        except FileNotFoundError:
            yield name
            continue
        left -= seen.st_size
        if left < 0:
            return
        if not stat.S_ISREG(seen.st_mode) or _digest(folder / name, len(digest)) != digest:
            yield name


def _digest(file: Path, length: int) -> str:
    content = file.read_bytes()
    made = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(b"blob %d\0" % len(content) + content)
    return made.hexdigest()
