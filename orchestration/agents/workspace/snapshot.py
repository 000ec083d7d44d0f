"""The files of a worktree as a tree of git: what an agent left, without what cannot or must not be kept."""

from __future__ import annotations

import os
import posixpath
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from foundation.secrets.store import known
from orchestration.agents.workspace.git import Git, shown
from orchestration.agents.workspace.sweep import MOST_NOTES, sweep

LARGEST_FILE = 50 * 1024**2
LARGEST_TOTAL = 500 * 1024**2
MOST_FILES = 20_000
MOST_IGNORED = 5
SHORTEST_SECRET = 12
"""Characters. What is shorter may well stand in a file for another reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`tree`: its id. `notes`: what was not taken, and why."""

    tree: str
    notes: tuple[str, ...]


def take(git: Git, worktree: Path, pristine: Path, scratch: Path) -> Snapshot:
    """The worktree's files as a tree in the repository of `git`; the same files give the same tree.

    `pristine`: the index that the worktree was made from, which is copied to `scratch`. Nobody may write in the
    worktree meanwhile: the agent's processes are gone.
    """
    notes = sweep(worktree)
    scratch.with_name(f"{scratch.name}.lock").unlink(missing_ok=True)  # of a git that was killed
    shutil.copy2(pristine, scratch)
    here = git.on(worktree, scratch)
    submodules = _submodules(here, worktree, notes)
    changed = set(here.records("ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard"))
    notes += _ignored(here)
    gone, there = _sorted(worktree, sorted(changed - submodules), notes)
    here.run("update-index", "-z", "--force-remove", "--stdin", stdin=_lines(gone))
    here.run("update-index", "-z", "--add", "--replace", "--stdin", stdin=_lines(there))
    tree = here.out("write-tree")
    scratch.unlink()
    shortened = notes[:MOST_NOTES] + ([f"and {len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else [])
    return Snapshot(tree=tree, notes=tuple(shortened))


def _submodules(here: Git, worktree: Path, notes: list[str]) -> set[bytes]:
    """The places of submodules, which stay as they are: a worktree holds them as empty folders, and many a tool clears
    such away. One that was taken out of `.gitmodules`, or that is a file by now, is none any longer, and what lies
    there is taken as files. What an agent wrote into one that stays would be of no commit of ours, so it is told."""
    records = here.records("ls-files", "-z", "--stage")
    places = {record.partition(b"\t")[2] for record in records if record.startswith(b"160000 ")}
    if not places:
        return places
    told = worktree / ".gitmodules"
    named = set(told.read_bytes().split()) if told.is_file() and not told.is_symlink() else set()
    unnamed = set(here.run("cat-file", "blob", ":.gitmodules", expected=(0, 128))[1].split()) - named
    kept = {place for place in places if place not in unnamed and not _is_file(worktree, place)}
    here.run("update-index", "-z", "--force-remove", "--stdin", stdin=_lines(sorted(places - kept)))
    for place in sorted(kept):
        folder = worktree / os.fsdecode(place)
        if folder.is_dir() and any(folder.iterdir()):
            notes.append(f"what lies in {shown(place)[-200:]} was not taken: it is a submodule")
    return kept


def _ignored(here: Git) -> list[str]:
    """What the repository's own rules keep out, in a line: a check in a clean checkout will miss it, and an agent that
    wrote nothing else has changed nothing. What tools leave behind is no news."""
    words = ("ls-files", "-z", "--others", "--ignored", "--directory")
    left_behind = set(here.records(*words, f"--exclude-from={here.git_dir / 'info' / 'exclude'}"))
    found = [name for name in here.records(*words, "--exclude-per-directory=.gitignore") if name not in left_behind]
    if not found:
        return []
    more = f" and {len(found) - MOST_IGNORED} more" if len(found) > MOST_IGNORED else ""
    return [f"{', '.join(shown(name)[-80:] for name in found[:MOST_IGNORED])}{more} was not taken: .gitignore has it"]


def _is_file(worktree: Path, place: bytes) -> bool:
    full = worktree / os.fsdecode(place)
    return full.is_symlink() or full.is_file()


def _sorted(worktree: Path, changed: list[bytes], notes: list[str]) -> tuple[list[bytes], list[bytes]]:
    """Of the changed paths those that are gone, and those that are taken."""
    gone: list[bytes] = []
    there: list[bytes] = []
    total = 0
    secrets = tuple(one.encode() for one in known() if len(one) >= SHORTEST_SECRET)
    is_real = cache(lambda folder: not folder.is_symlink() and (folder == worktree or is_real(folder.parent)))
    for path in changed:
        full = worktree / os.fsdecode(path)
        if not os.path.lexists(full) or not is_real(full.parent) or (full.is_dir() and not full.is_symlink()):
            gone.append(path)
            continue
        if _secret_in(path, secrets):
            notes.append("a file was not taken: its name holds the value of a secret")
            continue
        size = full.lstat().st_size
        why = _why_not(full, path, size, secrets)
        if not why and len(there) >= MOST_FILES:
            why = f"more than {MOST_FILES} files were changed"
        if not why and total + size > LARGEST_TOTAL:
            why = f"the changed files have more than {LARGEST_TOTAL} bytes together"
        if why:
            notes.append(f"{shown(path)[-200:]} was not taken: {why}")
        else:
            there.append(path)
            total += size
    return gone, there


def _why_not(full: Path, path: bytes, size: int, secrets: tuple[bytes, ...]) -> str:
    """Why the file cannot be taken; '' if it can."""
    if full.is_symlink():
        target = os.fsencode(full.readlink())
        return _secret_in(target, secrets) if stays_within(path, target) else "it is a link out of the worktree"
    if size > LARGEST_FILE:
        return f"it has {size} bytes, and {LARGEST_FILE} is the most"
    return _secret_in(full.read_bytes() if secrets else b"", secrets)


def _secret_in(content: bytes, secrets: tuple[bytes, ...]) -> str:
    return "it holds the value of a secret" if any(one in content for one in secrets) else ""


def _lines(paths: list[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def stays_within(link: bytes, target: bytes) -> bool:
    """Whether a link leads to something in the tree, however the folders on its way are links themselves.

    `..` counts only at the beginning: there the folders are real, since nothing lies below a link in a tree.
    """
    parts = target.split(b"/")
    ups = 0
    while ups < len(parts) and parts[ups] in (b"..", b"."):
        ups += 1
    if not target or target.startswith(b"/") or b".." in parts[ups:]:
        return False
    climbed = sum(part == b".." for part in parts[:ups])
    depth = posixpath.dirname(link).count(b"/") + 1 if posixpath.dirname(link) else 0
    within = posixpath.normpath(posixpath.join(posixpath.dirname(link), target)).split(b"/")[0]
    return climbed <= depth and within.lower() != b".git"
