"""What changed between two commits: numbers by file, and the text, with tests and configuration apart."""

from __future__ import annotations

from orchestration.agents.workspace.checks.file_kinds import kind_of
from orchestration.agents.workspace.git import Git, shown
from orchestration.core.agent.evidence import DiffStat, FileChange, FileKind

PLAIN = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color")
SHOWN_BYTES = 200_000


def diff_stat(git: Git, base: str, head: str, notes: tuple[str, ...] = ()) -> DiffStat:
    """The diff from `base` to `head`, by file. A renamed file is one deleted and one added. Raises GitFailed."""
    statuses = git.records("diff-tree", "-r", "-z", "--name-status", *PLAIN, base, head, "--")
    status = {path: letter.decode() for letter, path in zip(statuses[::2], statuses[1::2], strict=True)}
    files = []
    for record in git.records("diff-tree", "-r", "-z", "--numstat", *PLAIN, base, head, "--"):
        added, removed, path = record.split(b"\t", 2)
        files.append(
            FileChange(
                path=shown(path),
                status=status[path],
                added=None if added == b"-" else int(added),
                removed=None if removed == b"-" else int(removed),
                kind=kind_of(path),
            )
        )
    return DiffStat(files=tuple(files), notes=notes)


def diff_text(git: Git, base: str, head: str, *, only: FileKind | None = None, most: int = SHOWN_BYTES) -> str:
    """The diff as text, of all files or of one kind, up to `most` bytes; the last line says when it was cut."""
    words = ["diff-tree", "-r", "-p", "--no-commit-id", *PLAIN, base, head, "--"]
    if only is not None:
        names = git.records("diff-tree", "-r", "-z", "--name-only", *PLAIN, base, head, "--")
        chosen = [path.decode(errors="surrogateescape") for path in names if kind_of(path) is only][:1000]
        if not chosen:
            return ""
        words += chosen
    text, is_whole = git.beginning(*words, most=most)
    cut = "" if is_whole else f"\n… cut after {most} bytes\n"
    return text.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00") + cut
