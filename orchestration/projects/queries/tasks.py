"""How far each task is: from the steps of the build, and from its agents' attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.clock import iso
from orchestration.core.enums import StepStatus, UndoStatus
from orchestration.core.project import PlanTask, ProjectPlan
from orchestration.core.project.phases import MERGE
from orchestration.core.project.requirements import TaskStatus
from orchestration.models import AgentAttempt
from orchestration.projects.queries.family import Family, output_in, step_in

LOST = (StepStatus.FAILED, StepStatus.UNKNOWN)
GONE = (UndoStatus.COMPENSATED, UndoStatus.COMPENSATING, UndoStatus.PENDING)


def tasks_of(family: Family, plan: ProjectPlan | None) -> list[dict[str, Any]]:
    """One row for each task of the plan, in its order; none before there is a plan."""
    return [_task(family, task) for task in _all(family, plan)]


def task_statuses(family: Family, plan: ProjectPlan | None) -> dict[str, TaskStatus]:
    """Task → how far it is."""
    return {task.task_id: _status(family, task.task_id) for task in _all(family, plan)}


def _all(family: Family, plan: ProjectPlan | None) -> list[PlanTask]:
    """Those of the plan, and those that people have asked for since."""
    return [*(plan.tasks if plan is not None else ()), *family.reworks()]


def _task(family: Family, task: PlanTask) -> dict[str, Any]:
    build, attempts = family.work_of(task.task_id), family.attempts_of(task.task_id)
    step, output = step_in(build, task.task_id), output_in(build, task.task_id)
    last = attempts[-1] if attempts else None
    return {
        "task_id": task.task_id,
        "title": task.title,
        "agent_type": task.agent_type.value,
        "status": _status(family, task.task_id).value,
        "verdict": (last.verdict if last is not None else "") or output.get("verdict") or None,
        "attempts": len(attempts) or _of_an_archive(build, step),
        "endpoint": last.endpoint_name if last is not None else None,
        "branch": (last.branch if last is not None else "") or output.get("branch") or None,
        "commit": output.get("commit") or None,
        "merged": output_in(build, task.task_id + MERGE).get("merged") or None,
        "requirements": list(task.requirements),
        "dependencies": list(task.dependencies),
        "error": step["error"] if step is not None else "",
    }


def _of_an_archive(build: Mapping[str, Any], step: Mapping[str, Any] | None) -> int:
    """The attempts of a step whose sessions were archived, so that only the flow's count is left."""
    return int(step["attempts"]) if step is not None and build.get("archived") else 0


def _status(family: Family, task_id: str) -> TaskStatus:
    build = family.work_of(task_id)
    if family.is_asked(task_id) or family.is_asked(task_id + MERGE):
        return TaskStatus.WAITING
    work, merge = step_in(build, task_id), step_in(build, task_id + MERGE)
    if work is None or merge is None:
        return TaskStatus.PENDING
    if merge["status"] == StepStatus.SUCCEEDED and not (merge["output"] or {}).get("merged"):
        return TaskStatus.DROPPED
    if merge["status"] == StepStatus.SUCCEEDED:
        return TaskStatus.REVERTED if merge["compensation"]["status"] in GONE else TaskStatus.MERGED
    if work["status"] in LOST or merge["status"] in LOST:
        return TaskStatus.FAILED
    if work["status"] == StepStatus.SKIPPED:
        return TaskStatus.DROPPED
    if work["status"] == StepStatus.SUCCEEDED:
        return TaskStatus.WAITING if merge["status"] == StepStatus.PENDING else TaskStatus.WORKING
    return TaskStatus.PENDING if work["status"] == StepStatus.PENDING else TaskStatus.WORKING


def attempt_row(one: AgentAttempt) -> dict[str, Any]:
    """An attempt at a task: who, how it was judged and why, what it took."""
    return {
        "session": one.session,
        "attempt": one.attempt,
        "iteration": one.iteration,
        "agent_type": one.agent_type,
        "endpoint": one.endpoint_name,
        "session_id": one.session_id or None,
        "verdict": one.verdict or None,
        "ended": one.ended or None,
        "error": one.error,
        "turns": one.turns,
        "tokens": {"input": one.input_tokens, "output": one.output_tokens, "cached": one.cached_tokens},
        "cost": None if one.cost is None else str(one.cost),
        "branch": one.branch or None,
        "base": one.base or None,
        "commit": one.commit or None,
        "diff": one.diff,
        "checks": one.checks,
        "tampering": one.tampering,
        "evidence": one.evidence,
        "seconds": None if one.ended_at is None else round((one.ended_at - one.started_at).total_seconds(), 3),
        "started_at": iso(one.started_at),
        "ended_at": iso(one.ended_at),
    }
