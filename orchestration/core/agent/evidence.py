"""What an attempt left that can be looked at: its diff, and what our own run of the checks said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SHOWN_FILES = 200
"""Files that a diff names in rows and briefs; the numbers count all of them."""
SHOWN_AT_GATES = 50


class FileKind(StrEnum):
    """TEST and CONFIG decide what the checks say, and are shown apart at every gate."""

    CODE = "code"
    TEST = "test"
    CONFIG = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """`status`: A added, M modified, D deleted, T another type. Lines are None of what is no text."""

    path: str
    status: str
    added: int | None
    removed: int | None
    kind: FileKind

    def to_json(self) -> dict[str, object]:
        """The change as JSON."""
        return {
            "path": self.path,
            "status": self.status,
            "added": self.added,
            "removed": self.removed,
            "kind": self.kind.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffStat:
    """A diff between two commits, by file; `notes`: what of the worktree was not taken, and why."""

    files: tuple[FileChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no file changed."""
        return not self.files

    @property
    def added(self) -> int:
        """Lines added, of all files."""
        return sum(one.added or 0 for one in self.files)

    @property
    def removed(self) -> int:
        """Lines removed, of all files."""
        return sum(one.removed or 0 for one in self.files)

    def of_kind(self, kind: FileKind) -> tuple[FileChange, ...]:
        """The changes of one kind, so that those of tests are shown apart."""
        return tuple(one for one in self.files if one.kind is kind)

    def to_json(self) -> dict[str, object]:
        """Numbers of all files, and the first 200 of them; those of tests and configuration once more, apart."""
        return {
            "files_changed": len(self.files),
            "added": self.added,
            "removed": self.removed,
            "files": [one.to_json() for one in self.files[:SHOWN_FILES]],
            "tests": [one.to_json() for one in self.of_kind(FileKind.TEST)[:SHOWN_FILES]],
            "config": [one.to_json() for one in self.of_kind(FileKind.CONFIG)[:SHOWN_FILES]],
            "notes": list(self.notes[:SHOWN_FILES]),
        }


def tests_changed(diff: Mapping[str, Any]) -> list[str]:
    """What a diff's JSON does to tests and to their configuration, a line each, for the people at a gate."""
    found = [one for kind in ("tests", "config") for one in diff.get(kind) or ()]
    lines = [f"{one['status']} {one['path']} (+{one['added'] or 0} -{one['removed'] or 0})" for one in found]
    more = len(lines) - SHOWN_AT_GATES
    return [*lines[:SHOWN_AT_GATES], *([f"and {more} more"] if more > 0 else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCounts:
    """What a test runner says that it ran; `None` stands for a command that counts nothing."""

    __test__ = False  # not for pytest

    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Our own run of one check. `why`: in a line, why it did not pass; '' when it passed.

    `exit_code` is negative for the signal that ended it, None when its time was up. `digest`: sha256 of its whole
    output, of which `output_excerpt` is the end.
    """

    command: str
    passed: bool
    exit_code: int | None
    output_excerpt: str
    seconds: float
    digest: str
    why: str = ""
    counts: TestCounts | None = field(default=None)

    def to_json(self) -> dict[str, object]:
        """The result as JSON."""
        counts = self.counts
        return {
            "command": self.command,
            "passed": self.passed,
            "exit_code": self.exit_code,
            "output_excerpt": self.output_excerpt,
            "seconds": round(self.seconds, 3),
            "digest": self.digest,
            "why": self.why,
            "counts": counts and {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped},
        }
