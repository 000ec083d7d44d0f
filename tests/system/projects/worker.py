"""Stands in for the performer of agents' steps: the same worktree, commit and checks, with a function for the agent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.actions.base import Call, Result
from orchestration.agents.base import Sandbox
from orchestration.agents.workspace.checks.judge import examine
from orchestration.agents.workspace.commit import Trailers, commit
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.agents.workspace.worktree import Worktree
from orchestration.core.enums import Outcome
from orchestration.execution.action_table import ACTIONS
from orchestration.models import Run

Acts = Callable[[Path, str], None]


@dataclass
class Worker:
    """`acts`: what the agent does in its worktree, by the id of its task; '' for all others.

    `says`: its words; a list: one after the other. `asks`: what stands before an attempt, such as a question to people.
    """

    acts: dict[str, Acts] = field(default_factory=dict)
    says: dict[str, str | list[str]] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    asks: Callable[[Call, Run], Result | None] | None = None
    now: int = 0
    most: int = 0

    def perform(self, call: Call) -> Result:
        with self.lock:
            self.seen.append((call.step_id, str(call.action["agent"])))
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self._performed(call)
        finally:
            with self.lock:
                self.now -= 1

    def _performed(self, call: Call) -> Result:
        if call.step_id in self.says:
            words = self.says[call.step_id]
            text = words if isinstance(words, str) else words.pop(0)
            return Result(outcome=Outcome.SUCCEEDED, output={"text": text})
        run = Run.objects.get(workflow_id=call.workflow_id)
        first = self.asks(call, run) if self.asks is not None else None
        if first is not None:
            return first
        assert run.parent is not None
        repository = Repository.create(Layout.of(run.parent.workflow_id))
        base = repository.head(INTEGRATION) or repository.base()
        tree = Worktree.add(repository, str(call.action["branch"]), base)
        self.acts.get(call.step_id, self.acts.get("", writes))(tree.path, call.step_id)
        wanted: Any = call.action["requirements"]
        trailers = Trailers(run=run.parent.workflow_id, task=call.step_id, requirements=tuple(wanted))
        made = commit(tree, call.step_id, trailers)
        checks: Any = call.action["checks"]
        found = examine(repository, base, made.sha, checks, sandbox=Sandbox())
        red = [one.why for one in found.checks if not one.passed]
        if made.sha is None or red:
            return Result(outcome=Outcome.RETRYABLE, error="; ".join(red) or "empty")
        return Result(outcome=Outcome.SUCCEEDED, output=_output(made.sha, str(call.action["branch"])))


def _output(commit: str, branch: str) -> dict[str, Any]:
    return {"commit": commit, "branch": branch, "tests_changed": [], "evidence": "", "cost": None}


def writes(folder: Path, task: str) -> None:
    """One file a task."""
    (folder / f"{task}.txt").write_text(f"{task}\n")


@contextmanager
def working(worker: Worker) -> Iterator[Worker]:
    before = ACTIONS.get("agent")
    ACTIONS["agent"] = worker.perform
    try:
        yield worker
    finally:
        if before is None:
            del ACTIONS["agent"]
        else:
            ACTIONS["agent"] = before
