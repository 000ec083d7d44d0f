"""A conflict in the hands of an agent: a worktree that holds both sides, and what of it is still unresolved."""

from __future__ import annotations

import re

from orchestration.agents.workspace.diff import PLAIN
from orchestration.agents.workspace.git import Git, GitFailed, shown
from orchestration.agents.workspace.merge import Conflict, trial_merge
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.worktree import Worktree

MARKERS = re.compile(rb"^(?:<{7} .*|={7}|>{7} .*)\r?$", re.MULTILINE)
WHAT_TO_DO = """\
Two changes to the same lines have to become one that serves both intents. The files hold both sides, between lines of
<<<<<<<, ======= and >>>>>>>; leave no such line."""
LARGEST = 5 * 1024**2


def worktree_of(repository: Repository, branch: str, conflict: Conflict, *, into: str = INTEGRATION) -> Worktree:
    """A worktree of the integration branch's head with the task's changes in it, and git's markers where both changed.

    What is committed there is the task's one commit, on that head; the commit that did not merge stays unmerged.

    Raises:
        BadInput: the branch's name. GitFailed: one of the commits is not there.
    """
    return worktree_with(repository, branch, conflict.theirs.sha, into=into)


def worktree_with(repository: Repository, branch: str, sha: str, *, into: str = INTEGRATION) -> Worktree:
    """The same, for the commit that does not merge.

    Raises:
        BadInput: the branch's name. GitFailed: one of the commits is not there.
    """
    head = repository.git.out("rev-parse", "--verify", f"refs/heads/{into}^{{commit}}")
    tried = trial_merge(repository.git, head, sha)
    return Worktree.add(repository, branch, head, files=tried.tree)


def brief_of(conflict: Conflict) -> str:
    """What an agent has to know to resolve it: the files, and what each side wanted."""
    sides = [f"Merged already, for task {one.task or one.sha[:12]}:\n{one.text}" for one in conflict.ours]
    theirs = f"To be brought in, for task {conflict.theirs.task or conflict.theirs.sha[:12]}:\n{conflict.theirs.text}"
    return "\n\n".join([WHAT_TO_DO, "Files:\n" + "\n".join(f"- {name}" for name in conflict.files), *sides, theirs])


def unresolved(git: Git, base: str, head: str) -> list[str]:
    """Files that `head` changed and that still hold all three of git's markers. Raises GitFailed."""
    names = git.records("diff-tree", "-r", "-z", "--name-only", "--diff-filter=AM", *PLAIN, base, head, "--")
    return [shown(path) for path in names if _is_unresolved(git, f"{head}:{path.decode(errors='surrogateescape')}")]


def _is_unresolved(git: Git, name: str) -> bool:
    try:
        if int(git.out("cat-file", "-s", name)) > LARGEST:
            return False
        found = {line[:7] for line in MARKERS.findall(git.run("cat-file", "blob", name)[1])}
    except GitFailed:  # a submodule has no text
        return False
    return found == {b"<" * 7, b"=" * 7, b">" * 7}
