"""The folder that one agent works in. It has a repository of its own, which borrows our objects; we never read it.

So an agent may commit, configure, set hooks and break what it likes: none of it is ours, and nothing of it is obeyed.
What we keep of a worktree lies beside it, out of the agent's reach.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.agents.claims import require_current
from orchestration.agents.process.strays import end_marked
from orchestration.agents.workspace import locks
from orchestration.agents.workspace.git import Git
from orchestration.agents.workspace.layout import folder_name, remove
from orchestration.agents.workspace.repository import EXCLUDED, Repository, checked_branch

PRIVATE_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = false
\tfilemode = true
[user]
\tname = Agent
\temail = agent@localhost
[gc]
\tauto = 0
"""


PLACE = "ZEN_AGENT_WORKTREE"
"""A variable of every process of a session; its value is the worktree's folder."""


class Lost(Exception):
    """Somebody else has the worktree by now, or it was removed: this process stood still for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worktree:
    """The files of `branch` as of commit `at`, in the folder `path`.

    It is whose who made or opened it last. A worker that stood still, and wakes up when another does its work, finds
    `Lost`: it changes neither files nor branch, and its agent has been ended.
    """

    repository: Repository
    branch: str
    at: str
    owner: str = field(default_factory=lambda: secrets.token_hex(8), compare=False)

    @property
    def path(self) -> Path:
        """The agent's folder."""
        return self.repository.layout.worktrees / folder_name(self.branch)

    @property
    def state(self) -> Path:
        """What we know of it: which commit it was made from, and its index then."""
        return self.repository.layout.state / folder_name(self.branch)

    @property
    def pristine(self) -> Path:
        """The index as it was made."""
        return self.state / "index"

    @property
    def env(self) -> dict[str, str]:
        """What the environment of each process of its agent has to hold: whoever has the worktree next ends these."""
        return {**self.repository.layout.env, PLACE: str(self.path)}

    @classmethod
    def add(cls, repository: Repository, branch: str, at: str, *, files: str = "") -> Worktree:
        """A fresh worktree of commit `at`, and the branch set to it. One that is there already is thrown away.

        `files`: a tree whose files it holds instead, as changes that nobody has committed yet.

        Raises:
            BadInput: the branch's name. GitFailed: there is no such commit. Superseded: the attempt that this is for
                is another worker's by now.
        """
        made = cls(repository=repository, branch=checked_branch(branch), at=at)
        with made.locked() as git:
            require_current()
            end_marked(PLACE, str(made.path))
            made._clear()
            made.state.mkdir(parents=True)
            made.path.mkdir(parents=True)
            made._fill(git, files)
        return made

    @classmethod
    def open(cls, repository: Repository, branch: str) -> Worktree | None:
        """The worktree as its agent left it, to go on in; None when there is none, or only half of one."""
        lookup = cls(repository=repository, branch=branch, at="")
        with lookup.locked():
            require_current()
            told = lookup._known()
            if told.get("branch") != branch or not lookup.path.is_dir():
                return None
            end_marked(PLACE, str(lookup.path))
            found = cls(repository=repository, branch=branch, at=told["at"])
            found._mark()
        return found

    def _fill(self, git: Git, files: str) -> None:
        """Fill the empty folder. The mark that it is complete is written last."""
        here = git.on(self.path, self.pristine)
        here.run("read-tree", files or f"{self.at}^{{commit}}")
        here.run("checkout-index", "--all", "--index", "--quiet")
        if files:
            here.run("read-tree", f"{self.at}^{{commit}}")
        private_repository(self.path, git.git_dir, head=f"ref: refs/heads/{self.branch}", index=self.pristine)
        branch = self.path / ".git" / "refs" / "heads" / self.branch
        branch.parent.mkdir(parents=True, exist_ok=True)
        branch.write_text(f"{self.at}\n")
        with self.repository.writing() as writing:
            writing.run("update-ref", f"refs/heads/{self.branch}", self.at)
        self._mark()

    def _mark(self) -> None:
        unfinished = self.state / "complete.unfinished"
        unfinished.write_text(json.dumps({"at": self.at, "branch": self.branch, "owner": self.owner}))
        unfinished.rename(self.state / "complete")

    def _known(self) -> dict[str, str]:
        """What its mark says; nothing where there is none, or only half of a worktree."""
        try:
            told: dict[str, str] = json.loads((self.state / "complete").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return told

    def remove(self) -> None:
        """Remove the folder and what we know of it, unless it is somebody else's by now. The branch stays: it may have
        to be merged.
        """
        with self.locked():
            if self._known().get("owner", self.owner) == self.owner:
                self._clear()

    @contextlib.contextmanager
    def owned(self) -> Iterator[Git]:
        """As `locked`. Raises Lost where it is somebody else's by now."""
        with self.locked() as git:
            if self._known().get("owner") != self.owner:
                raise Lost(f"the worktree of branch {self.branch!r} was given to another attempt, or removed")
            yield git

    @contextlib.contextmanager
    def locked(self) -> Iterator[Git]:
        """Git while nobody else changes this worktree or its index."""
        with locks.held(self.repository.layout.locks / f"worktree-{folder_name(self.branch)}") as descriptor:
            yield self.repository.git.holding(descriptor)

    def _clear(self) -> None:
        (self.state / "complete").unlink(missing_ok=True)
        remove(self.path)
        remove(self.state)


def private_repository(folder: Path, lender: Path, *, head: str, index: Path) -> None:
    """A `.git` for the folder's own use, with `head` in its HEAD: it reads objects of `lender`, and writes its own.

    `index` is copied, so that its git sees the files as unchanged without reading them.
    """
    own = folder / ".git"
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (own / part).mkdir(parents=True)
    (own / "HEAD").write_text(f"{head}\n")
    (own / "config").write_text(PRIVATE_CONFIG)
    (own / "info" / "exclude").write_text(EXCLUDED)
    (own / "objects" / "info" / "alternates").write_text(f"{lender / 'objects'}\n")
    if (lender / "shallow").is_file():  # where the history that was lent begins
        shutil.copy2(lender / "shallow", own / "shallow")
    shutil.copy2(index, own / "index")
