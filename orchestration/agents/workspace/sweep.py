"""Makes the files of a hostile worktree harmless to read: no pipe that blocks, no repository within, no endless folder.

Only what git could trip over is removed; each removal is noted, for the agent's next brief and for people.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchestration.agents.workspace.git import shown
from orchestration.agents.workspace.layout import remove

DEEPEST = 64
LONGEST_PATH = 3000
LARGEST_RULES = 1024**2
RULES = (b".gitignore", b".gitattributes", b".gitmodules")
MOST_NOTES = 50


def sweep(worktree: Path) -> list[str]:
    """Walk all of the worktree but its own `.git`; what was removed, and why, a line each."""
    notes: list[str] = []
    root = os.fsencode(worktree)
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop()
        _make_enterable(folder)
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            if folder == root and entry.name == b".git":
                continue
            why = _harm(entry, depth)
            if why:
                remove(Path(os.fsdecode(entry.path)))
                notes.append(f"{shown(os.path.relpath(entry.path, root))[-200:]} was not taken: {why}")
            elif entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                _make_readable(entry)
    return notes[:MOST_NOTES] + ([f"and {len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else [])


def _harm(entry: os.DirEntry[bytes], depth: int) -> str:
    """Why this cannot stay; '' if it can."""
    if entry.name.lower() == b".git":
        return "a repository within the worktree; its files are taken, its history is not"
    if depth >= DEEPEST or len(entry.path) > LONGEST_PATH:
        return f"it lies deeper than {DEEPEST} folders, or its path is longer than {LONGEST_PATH} bytes"
    if entry.is_symlink() or entry.is_dir(follow_symlinks=False):
        return "" if entry.name not in RULES else "git wants a plain file of this name"
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        return "it is neither a file nor a folder nor a link"
    if entry.name in RULES and found.st_size > LARGEST_RULES:
        return f"it is larger than {LARGEST_RULES} bytes"
    return ""


def _make_readable(entry: os.DirEntry[bytes]) -> None:
    if not os.access(entry.path, os.R_OK):
        Path(os.fsdecode(entry.path)).chmod(stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) | stat.S_IRUSR)


def _make_enterable(folder: bytes) -> None:
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        Path(os.fsdecode(folder)).chmod(mode | stat.S_IRWXU)
