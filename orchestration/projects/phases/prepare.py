"""The phase `prepare`: the project's own repository; and its undo, which leaves nothing that the run owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.errors import BadInput
from orchestration.actions.errors import Refused, TryLater
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.janitor import janitor
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.projects.phases.project import project_of


def prepare(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The history of the user's repository in one of our own, or an empty commit; `base`: where the project begins."""
    project = project_of(context)
    try:
        made = Repository.create(project.layout, project.spec.repository or None)
    except BadInput as error:
        raise Refused(f"repository '{project.spec.repository}': {error.in_words()}") from None
    return {"repository": str(project.layout.repository), "base": made.base(), "branch": INTEGRATION}


def clear(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Remove what the run owns but its repository, and prove that nothing is left.

    Raises:
        TryLater: something is still there; a person is asked in the end.
    """
    found = janitor(project_of(context).run.workflow_id)
    if not found.is_clean:
        raise TryLater(f"something of the run is still on this machine: {'; '.join(found.faults) or found.left}"[:2000])
    return dict(found.to_json())
