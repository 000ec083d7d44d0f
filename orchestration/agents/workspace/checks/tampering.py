"""What a commit did to the tests that were there: deleted, skipped, weakened, or taken out of the runner's sight.

New tests are welcome, and so is a test that moved, got another name, or asserts more. What is found is named by file
and test, for the next brief and for a person.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import orchestration
from orchestration.agents.workspace.checks.file_kinds import kind_of
from orchestration.agents.workspace.checks.weakening import SHADOWS, Side
from orchestration.agents.workspace.diff import PLAIN
from orchestration.agents.workspace.git import Git, shown
from orchestration.core.agent.evidence import FileKind

MOST_FOUND = 100
MOST_FILES = 2000
LARGEST = 2 * 1024**2
LARGEST_TOTAL = 64 * 1024**2
"""Bytes of all files that are read, the smaller ones first."""
SECONDS = 60
"""How long all files may take to be judged."""
FILES = ("100644", "100755")
ROOT = Path(orchestration.__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-P", "-m", "orchestration.agents.workspace.checks.weakening")


def tampering(git: Git, base: str, head: str, *, seconds: int = SECONDS) -> list[str]:
    """What was found between the commits, a line each; nothing when no test lost anything.

    `seconds`: how long that may take; what cannot be judged in this time counts as found.

    Raises:
        GitFailed: there is no such commit. OSError: no process can be started.
    """
    pairs = list(_changed(git, base, head))
    return _judged(pairs, seconds)[:MOST_FOUND] if pairs else []


def _judged(pairs: list[tuple[Side, Side]], seconds: int) -> list[str]:
    """By a process of its own: what it has to read is an agent's, and can make any parser hang, or break."""
    given = json.dumps([[before.path, before.text, after.text] for before, after in pairs])
    env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*PROGRAM, str(seconds)], input=given.encode(), capture_output=True, env=env, cwd="/", check=False,
            timeout=seconds * 2,
        )  # fmt: skip
        said, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        said, code = error.stdout or b"", None
    lines = said.splitlines()
    found = list(chain.from_iterable(json.loads(line) for line in lines))
    if code != 0 or len(lines) < len(pairs):
        at = pairs[min(len(lines), len(pairs) - 1)][1].path
        found.append(f"{at}: what was done to its tests cannot be judged within {seconds} s")
    return found


def _changed(git: Git, base: str, head: str) -> Iterator[tuple[Side, Side]]:
    """The files that decide what checks say, before and after; all of them read by two calls of git."""
    records = git.records("diff-tree", "-r", "-z", "--raw", "--no-abbrev", *PLAIN, base, head, "--")
    chosen: list[tuple[str, str, str]] = []
    for about, path in zip(records[::2], records[1::2], strict=True):
        modes, objects = about.decode()[1:].split()[:2], about.decode().split()[2:4]
        if kind_of(path) is not FileKind.CODE or SHADOWS.fullmatch(shown(path)) or path.endswith(b".rs"):
            then, now = (name if mode in FILES else "" for mode, name in zip(modes, objects, strict=True))
            chosen.append((shown(path), then, now))
    texts = _texts(git, {name for _, *names in chosen[:MOST_FILES] for name in names if name})
    for name, then, now in chosen[:MOST_FILES]:
        yield Side(name, texts.get(then)), Side(name, texts.get(now))


def _texts(git: Git, names: set[str]) -> dict[str, str]:
    """The text of each object that is one, and not too large, as long as they are not too large together."""
    told = git.out("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(names)).splitlines()
    sizes = sorted((int(size), name) for name, size in (line.split() for line in told) if int(size) <= LARGEST)
    small, total = set[str](), 0
    for length, name in sizes:
        total += length
        if total <= LARGEST_TOTAL:
            small.add(name)
    data = git.run("cat-file", "--batch=%(objectname) %(objectsize)", stdin=_lines(small))[1]
    found, place = {}, 0
    while place < len(data):
        end = data.index(b"\n", place)
        name, size = data[place:end].decode().split()
        text, place = data[end + 1 : end + 1 + int(size)], end + 2 + int(size)
        if b"\0" not in text:
            found[name] = text.decode(errors="replace")
    return found


def _lines(names: set[str]) -> bytes:
    return "".join(f"{name}\n" for name in sorted(names)).encode()
