"""The merge of a task, and its undo: a revert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.base import Result
from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.history import merges
from orchestration.agents.workspace.merge import Conflict, take_back
from orchestration.core.project.phases import MERGE
from orchestration.core.saga.compensation import is_owed
from orchestration.ledger.store import load_state
from orchestration.projects.phases.conflicts import merged_in_the_end, said
from orchestration.projects.phases.project import project_of
from orchestration.projects.phases.resolved import Merging


def merge_task(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any] | Result:
    """Merge the commit of a task into the integration branch; one at a time, and each once.

    Parked while a conflict is with an agent or with people.
    """
    project = project_of(context)
    commit, task = str(payload.get("commit") or ""), str(payload["task"])
    if not commit:
        return {"task": task, "merged": "", "head": project.repository.head() or ""}
    found = merged_in_the_end(Merging(project=project, payload=payload, context=context))
    if isinstance(found, Result):
        return found
    return {"task": task, "merged": found, "commit": commit, "head": project.repository.head() or ""}


def revert_task(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Take the merges of a task out of the integration branch again; what came after them stays.

    Tasks that do not depend on each other are undone in any order: what is to be undone as well is no hindrance.
    """
    project = project_of(context)
    task, undone = str(payload["task"]), []
    ours = (project.run.workflow_id, project.step_run.workflow_id)
    found = [one for one in merges(project.repository) if one.run in ours]
    steps = load_state(project.step_run).steps
    owed = {step_id.removesuffix(MERGE) for step_id, step in steps.items() if is_owed(step)}
    for one in [one for one in found if one.task == task]:
        made = take_back(project.repository, one.sha, owed=[other.sha for other in found if other.task in owed])
        if isinstance(made, Conflict):
            raise Refused(said(task, made, "cannot be reverted"))
        undone += [made] if made else []
    return {"task": task, "reverted": undone, "head": project.repository.head() or ""}
