"""Merging a task, and taking it out again: tried without any files first, one at a time, and each no more than once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile

from orchestration.agents.workspace import locks
from orchestration.agents.workspace.commit import Trailers, commit_tree, worded
from orchestration.agents.workspace.git import Git, GitFailed, shown
from orchestration.agents.workspace.history import Entry, entries, entry, merges
from orchestration.agents.workspace.repository import EPOCH, INTEGRATION, Repository

MOST_NAMED = 100
LONGEST_INTENT = 2000
UNDATED = {"GIT_AUTHOR_DATE": EPOCH, "GIT_COMMITTER_DATE": EPOCH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What one side wanted: the commit, the task that it is for, and its message."""

    sha: str
    task: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two intents that cannot both be had. `ours`: what was merged and touched the `files`; `theirs`: what came."""

    files: tuple[str, ...]
    ours: tuple[Intent, ...]
    theirs: Intent
    messages: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The conflict as JSON, for rows and for the brief of whoever resolves it."""
        sides = [{"sha": one.sha, "task": one.task, "text": one.text} for one in (*self.ours, self.theirs)]
        return {"files": list(self.files), "ours": sides[:-1], "theirs": sides[-1], "messages": list(self.messages)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The tree that a merge would give. `files`: those in conflict; none when it is clean."""

    tree: str
    files: tuple[bytes, ...] = ()
    messages: tuple[str, ...] = ()


def trial_merge(git: Git, ours: str, theirs: str) -> Trial:
    """What merging `theirs` into `ours` would give; no branch, index or file is touched. Raises GitFailed."""
    words = ("merge-tree", "--write-tree", "-z", "--name-only", "--messages", "--allow-unrelated-histories")
    code, out = git.run(*words, ours, theirs, expected=(0, 1))
    tree, *rest = out.split(b"\0")
    if code == 0:
        return Trial(tree=tree.decode())
    end = rest.index(b"")
    return Trial(tree=tree.decode(), files=tuple(dict.fromkeys(rest[:end])), messages=tuple(_messages(rest[end + 1 :])))


def merge(repository: Repository, sha: str, *, into: str = INTEGRATION) -> str | Conflict:
    """The merge of a task's commit into a branch, or why it cannot be merged. Merged already: that merge.

    A commit whose merge was reverted is merged anew: what it changed comes back.

    Raises:
        GitFailed: there is no such commit or branch.
    """
    with locks.held(repository.layout.locks / "merge") as descriptor:
        git = repository.git.holding(descriptor)
        coming = entry(git, sha)
        done = _in_force(entries(repository, into), coming.sha)
        if isinstance(done, Entry):
            return done.sha
        head = git.out("rev-parse", "--verify", f"refs/heads/{into}^{{commit}}")
        tried = _trial(git, head, coming, was_reverted=done)
        if tried.files:
            return _conflict(repository, git, head, coming, tried)
        message = worded(f"Merge {coming.task or coming.sha[:12]}: {coming.subject}", _trailers(coming, {}))
        made = commit_tree(git, tried.tree, [head, coming.sha], message)
        _move(repository, into, made, head)
        return made


def revert(repository: Repository, merge_sha: str, *, branch: str = INTEGRATION) -> str | Conflict | None:
    """The commit that undoes a merge, or why that cannot be. Undone already: that commit. Never merged: None.

    Raises:
        GitFailed: git could not, for the machine's reasons.
    """
    with locks.held(repository.layout.locks / "merge") as descriptor:
        git = repository.git.holding(descriptor)
        found = {one.sha: one for one in entries(repository, branch)}
        done = next((one.sha for one in found.values() if one.reverts == merge_sha), None)
        if done is not None or merge_sha not in found:
            return done
        undone = found[merge_sha]
        head = git.out("rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}")
        tried = three_way(git, base=undone.sha, ours=head, theirs=undone.parents[0])
        if tried.files:
            return _conflict(repository, git, head, undone, tried)
        message = worded(f"Revert {undone.subject}", _trailers(undone, {"Zen-Reverts": undone.sha}))
        made = commit_tree(git, tried.tree, [head], message)
        _move(repository, branch, made, head)
        return made


def take_back(repository: Repository, merge_sha: str, *, owed: Collection[str]) -> str | Conflict | None:
    """As `revert`, in any order: later merges in the way that are `owed` a revert too are reverted first.

    Raises:
        GitFailed: git could not, for the machine's reasons.
    """
    found = revert(repository, merge_sha)
    if not isinstance(found, Conflict):
        return found
    for one in list(takewhile(lambda one: one.sha != merge_sha, merges(repository))):
        if one.sha in owed:
            revert(repository, one.sha)
    return revert(repository, merge_sha)


def three_way(git: Git, *, base: str, ours: str, theirs: str) -> Trial:
    """What the step from `base` to `theirs` gives when it is made on `ours`. Their histories do not matter."""
    root = _commit_of(git, base, [])
    return trial_merge(git, _commit_of(git, ours, [root]), _commit_of(git, theirs, [root]))


def _commit_of(git: Git, sha: str, parents: list[str]) -> str:
    """A commit with the tree of another, always the same one: repeating leaves nothing more behind."""
    words = [word for parent in parents for word in ("-p", parent)]
    return git.out("commit-tree", f"{sha}^{{tree}}", *words, stdin=b"trial\n", env=UNDATED)


def _in_force(found: list[Entry], sha: str) -> Entry | bool:
    """The merge of this commit that is in force; else whether there was one that has been reverted."""
    undone = {one.reverts for one in found if one.reverts}
    mine = [one for one in found if one.merges == sha]
    return next((one for one in mine if one.sha not in undone), bool(mine))


def _trial(git: Git, head: str, coming: Entry, *, was_reverted: bool) -> Trial:
    """Git takes what was reverted for merged already, so then only the step that the commit itself makes is taken."""
    if was_reverted and coming.parents:
        return three_way(git, base=coming.parents[0], ours=head, theirs=coming.sha)
    return trial_merge(git, head, coming.sha)


def _conflict(repository: Repository, git: Git, head: str, coming: Entry, tried: Trial) -> Conflict:
    files = tried.files[:MOST_NAMED]
    try:
        since = git.out("merge-base", head, coming.sha)
    except GitFailed:  # their histories have nothing in common
        since = repository.base()
    names = [path.decode(errors="surrogateescape") for path in files]
    touching = git.out("log", "--first-parent", "-m", "--format=%H", f"{since}..{head}", "--", *names).splitlines()
    return Conflict(
        files=tuple(shown(path) for path in files),
        ours=tuple(_intent(git, sha) for sha in dict.fromkeys(touching[:MOST_NAMED])),
        theirs=_intent(git, coming.sha),
        messages=tried.messages,
    )


def _intent(git: Git, sha: str) -> Intent:
    """Of a merge, what the merged task wanted."""
    found = entry(git, sha)
    text = git.out("log", "-1", "--no-notes", "--format=%B", found.merges or sha, "--")
    return Intent(sha=sha, task=found.task, text=text.encode(errors="replace").decode()[:LONGEST_INTENT])


def _messages(records: list[bytes]) -> list[str]:
    """Of merge-tree's records, each a number of paths, the paths, a kind and a text: the texts of conflicts."""
    texts = []
    while records and records[0].isdigit():
        kind, text = records[int(records[0]) + 1 : int(records[0]) + 3]
        if kind.startswith(b"CONFLICT"):
            texts.append(shown(text.strip()))
        records = records[int(records[0]) + 3 :]
    return texts[:MOST_NAMED]


def _trailers(of: Entry, more: dict[str, str]) -> Trailers:
    return Trailers(run=of.run, task=of.task, requirements=of.requirements, more=more)


def _move(repository: Repository, branch: str, new: str, old: str) -> None:
    """Only from where it was seen: another writer's commit is never lost."""
    with repository.writing() as writing:
        writing.run("update-ref", f"refs/heads/{branch}", new, old)
