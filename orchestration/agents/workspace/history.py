"""What is on the integration branch already, read from the commits themselves: they are the only record of a merge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.repository import BASE_REF, INTEGRATION, Repository

FORMAT = "--format=%H%n%P%n%s%n%(trailers:only,unfold)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A commit of ours. `merges`: the task's commit that it merged, '' if none; `reverts`: the merge that it undid."""

    sha: str
    parents: tuple[str, ...]
    subject: str
    run: str
    task: str
    requirements: tuple[str, ...]
    reverts: str

    @property
    def merges(self) -> str:
        """The commit of the task that came in by this merge."""
        return self.parents[1] if len(self.parents) > 1 else ""


def entry(git: Git, sha: str) -> Entry:
    """One commit. Raises GitFailed."""
    return _entry(git.records("log", "-1", "-z", "--no-notes", FORMAT, sha, "--")[0])


def entries(repository: Repository, branch: str = INTEGRATION) -> list[Entry]:
    """What came onto the branch since the project began, the newest first."""
    words = ("log", "-z", "--first-parent", "--no-notes", FORMAT, f"{BASE_REF}..refs/heads/{branch}", "--")
    return [_entry(record) for record in repository.git.records(*words)]


def merges(repository: Repository, branch: str = INTEGRATION) -> Iterator[Entry]:
    """The merges that are in force: those that were reverted are left out. The newest first."""
    undone: set[str] = set()
    for one in entries(repository, branch):
        if one.reverts:
            undone.add(one.reverts)
        elif one.merges and one.sha not in undone:
            yield one


def merged(repository: Repository, task: str, branch: str = INTEGRATION) -> list[str]:
    """The merges of a task that are in force, the newest first; none before it was merged, or once it was reverted."""
    run = repository.layout.workflow_id
    return [one.sha for one in merges(repository, branch) if one.run == run and one.task == task]


def _entry(record: bytes) -> Entry:
    sha, parents, subject, *trailers = record.decode(errors="replace").split("\n")
    pairs = [(name, value.strip()) for name, found, value in (line.partition(":") for line in trailers) if found]
    named = dict(pairs)
    return Entry(
        sha=sha,
        parents=tuple(parents.split()),
        subject=subject,
        run=named.get("Zen-Run", ""),
        task=named.get("Zen-Task", ""),
        requirements=tuple(value for name, value in pairs if name == "Zen-Requirement"),
        reverts=named.get("Zen-Reverts", ""),
    )
