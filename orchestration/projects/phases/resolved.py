"""What an agent made of a conflict is not what people had agreed to: the gates of the task are asked once more.

Bound to the new commit, by the same policies and the same people, before anything of it is merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.errors import BadInput
from orchestration.actions.base import Result
from orchestration.core.enums import Cause, Outcome
from orchestration.core.inquiry import Reply, ReplyStatus
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.models import AgentAttempt, Run
from orchestration.projects.phases.asking_agents import AskingStep, parked

MOST_NAMED = 20
ENDS = {ReplyStatus.EXPIRED: Cause.TIMED_OUT, ReplyStatus.TAKEN_BACK: Cause.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging(AskingStep):
    """The merge step of a task. `payload`: as `compile_tasks` wrote it, its commit filled in."""

    payload: Mapping[str, Any]

    @property
    def task(self) -> str:
        """The task's id."""
        return str(self.payload["task"])


def agreed(merging: Merging, commit: str, made_by: Run) -> Result | None:
    """None once all gates of the task have agreed to this commit; else what the merge step comes to meanwhile.

    `made_by`: the run in which an agent made it. Raises Unreachable: nobody can be asked now.
    """
    for gate in merging.payload.get("gates") or ():
        try:
            reply = inquiry_service().put(_inquiry(merging, gate, commit, made_by))
        except BadInput as error:
            return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
        if reply.status is ReplyStatus.OPEN:
            return parked(f"waits for approval '{reply.request_id}'")
        if reply.status is not ReplyStatus.ANSWERED:
            return _refused(merging, reply)
    return None


def _refused(merging: Merging, reply: Reply) -> Result:
    why = f"{reply.why}: what an agent made of the conflict of task '{merging.task}' is not merged"
    return Result(outcome=Outcome.FAILED, error=why[:2000], cause=ENDS.get(reply.status, Cause.REJECTED))


def _inquiry(merging: Merging, gate: Mapping[str, Any], commit: str, made_by: Run) -> Inquiry:
    before = str(merging.payload["commit"])
    return Inquiry(
        run=merging.project.step_run,
        step_id=merging.context.step_id,
        iteration=merging.context.iteration,
        attempt=merging.context.attempt,
        key=f"resolved:{gate['gate_id']}:{commit}",
        stage=str(gate["stage"]),
        title=f"Task '{merging.task}' was in conflict, and has another commit now",
        lead=f"What was agreed to, {before}, cannot be merged. An agent has made {commit} of it, which is merged "
        "once you agree to that.",
        context={
            "project": merging.project.run.workflow_id, "task": merging.task, "commit": commit, "instead_of": before,
            **_facts(AgentAttempt.objects.filter(run=made_by, step_id=merging.task, commit=commit).last()),
        },
        policy=str(gate["policy"]),
        approvers=tuple(gate["approvers"]),
        timeout_seconds=merging.payload.get("approval_timeout"),
        for_agents=False,
    )  # fmt: skip


def _facts(row: AgentAttempt | None) -> dict[str, Any]:
    """What the attempt changed, and what proves it."""
    if row is None:
        return {}
    files, tests = (
        [str(one.get("path")) for one in (row.diff.get(name) or ())[:MOST_NAMED]] for name in ("files", "tests")
    )
    numbers = {name: row.diff.get(name) for name in ("files_changed", "added", "removed")}
    return {"files": files, "tests_changed": tests, "diff": numbers, "evidence": dict(row.evidence)}
