"""Our commit of an agent's work: one for a task, however often it is asked for, told by its trailers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.snapshot import take
from orchestration.agents.workspace.worktree import Worktree

LONGEST_MESSAGE = 8000
LONGEST_VALUE = 200
OURS = re.compile(r"^(?=[ \t]*zen-|#[ \t]*-+[ \t]*>8)", re.IGNORECASE | re.MULTILINE)
"""Where a line begins that could be taken for ours, or after which git looks for no trailers (its scissors)."""
NAME = re.compile(r"Zen-[A-Z][A-Za-z-]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailers:
    """Which run, task and requirements a commit is for; `more`: further ones, their names begin with Zen-."""

    run: str
    task: str
    requirements: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """The trailers as lines, each on one."""
        yield f"Zen-Run: {_one_line(self.run)}"
        yield f"Zen-Task: {_one_line(self.task)}"
        for one in self.requirements:
            yield f"Zen-Requirement: {_one_line(one)}"
        for name, value in self.more.items():
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no trailer of ours: it begins with Zen-")
            yield f"{name}: {_one_line(value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """`sha`: the commit, None when the worktree holds no change. `notes`: what was not taken, and why."""

    sha: str | None
    notes: tuple[str, ...] = ()


def commit(worktree: Worktree, message: str, trailers: Trailers) -> Committed:
    """The worktree's files as the one commit of its branch, on top of the commit that it was made from.

    Asked again, the same files give the same commit; others give one in its place, never a second. Without a change the
    branch is set back.

    Raises:
        GitFailed: git could not, for the machine's reasons. Lost: the worktree is somebody else's by now.
    """
    with worktree.owned() as git:
        snapshot = take(git, worktree.path, worktree.pristine, worktree.state / "scratch")
        if snapshot.tree == git.out("rev-parse", f"{worktree.at}^{{tree}}"):
            sha = None
        else:
            sha = _the_commit(git, worktree, snapshot.tree, worded(message, trailers))
        with worktree.repository.writing() as writing:
            writing.run("update-ref", f"refs/heads/{worktree.branch}", sha or worktree.at)
    return Committed(sha=sha, notes=snapshot.notes)


def _the_commit(git: Git, worktree: Worktree, tree: str, message: bytes) -> str:
    """The branch's commit where it is this one already, else a new one."""
    head = worktree.repository.head(worktree.branch)
    if head is not None and head != worktree.at:
        found = git.run("log", "-1", "--no-notes", "--format=%T%x00%P%x00%B", head, "--")[1].split(b"\0", 2)
        if found[:2] == [tree.encode(), worktree.at.encode()] and found[2].strip() == message.strip():
            return head
    return commit_tree(git, tree, [worktree.at], message)


def commit_tree(git: Git, tree: str, parents: list[str], message: bytes) -> str:
    """A commit object, which no branch knows yet."""
    return git.out("commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), stdin=message)


def worded(message: str, trailers: Trailers) -> bytes:
    """The message with the trailers at its end. Lines of the message that could be taken for ours are quoted."""
    text = OURS.sub("> ", message.replace("\0", "").replace("\r", "\n")[:LONGEST_MESSAGE]).strip() or "Work"
    return f"{text}\n\n{chr(10).join(trailers.lines())}\n".encode(errors="replace")


def _one_line(value: str) -> str:
    return " ".join(value.split())[:LONGEST_VALUE]
