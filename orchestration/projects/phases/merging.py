"""The merge of a task, and its undo: a revert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.history import merges
from orchestration.agents.workspace.merge import Conflict, merge, revert
from orchestration.projects.phases.project import project_of


def merge_task(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Merge the commit of a task into the integration branch; one at a time, and each once."""
    project = project_of(context)
    commit, task = str(payload.get("commit") or ""), str(payload["task"])
    if not commit:
        return {"task": task, "merged": "", "head": project.repository.head() or ""}
    found = merge(project.repository, commit)
    if isinstance(found, Conflict):
        raise Refused(_said(task, found, "cannot be merged"))
    return {"task": task, "merged": found, "commit": commit, "head": project.repository.head() or ""}


def revert_task(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Take the merges of a task out of the integration branch again; what came after them stays."""
    project = project_of(context)
    task, undone = str(payload["task"]), []
    ours = (project.run.workflow_id, project.step_run.workflow_id)
    for one in [one for one in merges(project.repository) if one.task == task and one.run in ours]:
        found = revert(project.repository, one.sha)
        if isinstance(found, Conflict):
            raise Refused(_said(task, found, "cannot be reverted"))
        undone += [found] if found else []
    return {"task": task, "reverted": undone, "head": project.repository.head() or ""}


def _said(task: str, conflict: Conflict, what: str) -> str:
    files = ", ".join(conflict.files[:10]) + (", …" if len(conflict.files) > 10 else "")
    others = ", ".join(dict.fromkeys(one.task or one.sha[:12] for one in conflict.ours))
    return f"task '{task}' {what}: it and {others or 'the repository'} change the same lines of {files}"
