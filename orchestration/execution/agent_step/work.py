"""Where an agent's attempt works: the run's repository, a worktree, our commit, and what our checks say of it."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import BadInput
from orchestration.agents.base import Sandbox
from orchestration.agents.workspace.checks.judge import Evidence, examine
from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.resolving import unresolved, worktree_with
from orchestration.agents.workspace.worktree import Worktree
from orchestration.core.agent.evidence import CheckResult
from orchestration.models import Run

PROJECT = Run.PROJECT
"""The kind of a run whose repository the runs below it work in."""
SOURCE = "source"
NO_CONFLICT = "no conflict is left"
"""What stands for a command, for what we look at ourselves."""
MOST_NAMED = 20


def home_of(run: Run) -> Run:
    """The run whose repository an attempt works in: the project that it belongs to, else the run itself."""
    above: Run | None = run
    while above is not None:
        if above.kind == PROJECT:
            return above
        above = above.parent
    return run


def is_in_project(run: Run) -> bool:
    """Whether an attempt of the run works for a project, whose people are asked what elsewhere its saga says."""
    return home_of(run).kind == PROJECT


def branch_of(home: Run, step_id: str) -> str:
    """The branch of a step's commit, where the step names none."""
    return "/".join(("zen", re.sub(r"[^A-Za-z0-9_-]", "-", home.workflow_id)[:90], step_id))


def repository_of(home: Run, source: str) -> Repository:
    """The run's repository, made from `source` by whoever comes first.

    Raises:
        BadInput: it cannot be read, or the run works in another one already.
    """
    layout = Layout.of(home.workflow_id)
    made = Repository.create(layout, source or None)
    known = layout.folder / SOURCE
    before = known.read_text() if known.exists() else ""
    if source and not before:  # a kill, or a full disk, may have left an empty file
        unfinished = known.with_name(f"{SOURCE}.{secrets.token_hex(4)}.unfinished")
        unfinished.write_text(source)
        unfinished.rename(known)
    elif source and before != source:
        message = f"this run works in the repository '{before}' already"
        remedy = "a saga has one repository; put the steps of another into a child saga"
        raise BadInput(message, field="repository", value=source, remedy=remedy)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One attempt's files, and what is to become of them."""

    repository: Repository
    worktree: Worktree
    home: Run

    @classmethod
    def begun(cls, repository: Repository, home: Run, branch: str) -> Work:
        """A fresh worktree of the integration branch's newest commit."""
        at = repository.head(INTEGRATION) or repository.base()
        return cls(repository=repository, worktree=Worktree.add(repository, branch, at), home=home)

    @classmethod
    def merging(cls, repository: Repository, home: Run, branch: str, sha: str) -> Work:
        """The same, with the changes of a commit laid over it, and both sides where they are in conflict."""
        return cls(repository=repository, worktree=worktree_with(repository, branch, sha), home=home)

    @classmethod
    def found(cls, repository: Repository, home: Run, branch: str) -> Work | None:
        """The worktree as its session left it, where it is still there."""
        tree = Worktree.open(repository, branch)
        return None if tree is None else cls(repository=repository, worktree=tree, home=home)

    def laid_over(self, commit: str) -> None:
        """Put the files of an earlier commit of ours, made from the same base, into the fresh worktree."""
        scratch = self.worktree.state / "rework"
        with self.worktree.owned() as git:
            here = git.on(self.worktree.path, scratch)
            here.run("read-tree", f"{commit}^{{commit}}")
            here.run("checkout-index", "--all", "--force", "--quiet")
        scratch.unlink(missing_ok=True)

    @property
    def base(self) -> str:
        """The commit that the work began with."""
        return self.worktree.at

    def committed(self, title: str, *, task: str, requirements: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        """Our commit of the files, None where nothing changed; and notes on what was not taken."""
        trailers = Trailers(run=self.home.workflow_id, task=task, requirements=requirements)
        made = commit(self.worktree, title, trailers)
        return made.sha, made.notes

    def examined(
        self, sha: str | None, checks: Sequence[str], *, notes: tuple[str, ...], sandbox: Sandbox, seconds: float,
        changes: bool, cancelled: threading.Event,
    ) -> Evidence:  # fmt: skip
        """What our own runs of the checks say, in a clean checkout.

        `changes`: whether files were to change; without a change there is nothing to check then.
        """
        head = sha if sha is not None or changes or not checks else self.base
        return examine(
            self.repository, self.base, head, checks, sandbox=sandbox, timeout=seconds, notes=notes, cancelled=cancelled
        )

    def left_of_conflict(self, sha: str) -> CheckResult | None:
        """As a check that did not pass: that files still hold both sides; None when none does."""
        names = unresolved(self.repository.git, self.base, sha)
        if not names:
            return None
        told = f"lines of <<<<<<<, ======= and >>>>>>> are left in {', '.join(names[:MOST_NAMED])}"
        digest = hashlib.sha256(told.encode()).hexdigest()
        return CheckResult(
            command=NO_CONFLICT, passed=False, exit_code=1, output_excerpt=told, seconds=0.0, digest=digest, why=told
        )
