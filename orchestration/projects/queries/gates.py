"""The gates of a project: which there are, whom they wait for, and what was said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from foundation.clock import iso
from orchestration.core.enums import RunStatus, StepStatus
from orchestration.models import Run
from orchestration.projects.queries.family import Family

WORDS = {
    StepStatus.SUCCEEDED: "approved", StepStatus.PENDING: "pending", StepStatus.RUNNING: "waiting",
    StepStatus.SKIPPED: "skipped",
}  # fmt: skip


def gate_views(family: Family) -> list[dict[str, Any]]:
    """Those beside phases, those of tasks (also before the build that asks), and the question about what nothing
    proves, in the order of their steps."""
    runs = {family.run.workflow_id: family.run}
    views: list[Mapping[str, Any]] = [family.view, *family.children.values()]
    names = [view["workflow_id"] for view in views[1:]]
    runs |= {one.workflow_id: one for one in Run.objects.filter(workflow_id__in=names).select_related("definition")}
    gates = [gate for view in views for gate in _gates(runs[view["workflow_id"]], view)]
    told = {gate["gate_id"]: str(gate["name"]) for gate in gates}
    to_come = [one for one in _to_come(family) if one["gate_id"] not in told]
    return [*gates, *to_come, *_questions(family, {gate["request_id"] for gate in gates}, told)]


STAGES: Mapping[str, str] = {
    "unproved-criteria": "What nothing proves",
    "task-failed": "What becomes of a task that failed",
    "over-budget": "What becomes of what has no money left",
    "merge-conflict": "What becomes of a conflict",
    "re-plan": "Whether a project that takes too long goes on",
    "agent-permission": "What an agent may do",
    "agent-question": "What an agent asks",
    "merge": "A merge by hand",
}
"""The stages of what is asked beside the gates of a spec, as people are told them."""


def named_for_people(gate: Mapping[str, Any]) -> str:
    """The name of a gate or question of `gate_views`, in words where its stage is one of ours."""
    stage, about, step = str(gate["name"]).partition(" about ")
    return STAGES[stage] + (f": {step}" if about else "") if stage in STAGES else str(gate["name"])


def _to_come(family: Family) -> list[dict[str, Any]]:
    """The gates of tasks, while no build is there to have them, and those of all, which come after it."""
    plan, is_built = family.plan(), "build" in family.children
    return [
        {
            "gate_id": one.gate_id, "name": one.name, "run": family.run.workflow_id, "status": "pending",
            "request_id": None, "approvers": [], "decided_at": None, "error": "",
        }
        for one in (plan.gates if plan is not None else ())
        if not (is_built and one.task_id)
    ]  # fmt: skip


def _gates(run: Run, view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    requests = {one.parent_step: one for one in run.children.filter(kind="approval").order_by("id")}
    steps = {step["step_id"]: step for step in view["steps"]}
    for step in run.definition.body["steps"]:
        action, found = step["forward_action"], steps.get(step["step_id"])
        if action["type"] == "approval" and found is not None:
            yield _gate(run, step["step_id"], str(action.get("stage") or ""), found, requests.get(step["step_id"]))


def _questions(family: Family, told: set[str | None], gates: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What is asked beside the gates, such as what becomes of a task whose last attempt failed; and what was asked at a
    gate before the project went back. `gates`: by its id, what a gate is called."""
    for one in family.questions:
        if one.workflow_id not in told and one.parent is not None:
            yield {
                "gate_id": one.parent_step, "name": gates.get(one.parent_step) or _about(one),
                "run": one.parent.workflow_id, "status": "decided" if one.finished_at else "waiting",
                "request_id": one.workflow_id, "approvers": [], "decided_at": iso(one.finished_at), "error": "",
            }  # fmt: skip


def _about(question: Run) -> str:
    """What is asked, by the stage that its handle has, and about which step."""
    stage = re.search(r"\.([a-z][a-z-]*)\.[^.]*$", question.workflow_id)
    return f"{stage[1]} about {question.parent_step}" if stage else f"about {question.parent_step}"


def _gate(run: Run, step_id: str, stage: str, step: Mapping[str, Any], request: Run | None) -> dict[str, Any]:
    said = step["output"] if isinstance(step["output"], dict) else {}
    waits = request is not None and not RunStatus(request.status).is_end
    status = "waiting" if waits else WORDS.get(StepStatus(step["status"]), "refused")
    return {
        "gate_id": step_id,
        "name": stage,
        "run": run.workflow_id,
        "status": status,
        "request_id": request.workflow_id if request is not None else None,
        "approvers": list(said.get("approvers") or ()),
        "decided_at": said.get("decided_at"),
        "error": step["error"],
    }
