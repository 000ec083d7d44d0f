"""The phase `accept`: who took what as met that nothing proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.project.criteria import CriterionStatus
from orchestration.core.project.sagas.acceptance import ACCEPTED, answer_name
from orchestration.projects.phases.project import project_of


def accept(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """For each criterion that was asked about, that it is accepted, by whom and when; nothing where all was proved."""
    project = project_of(context)
    unproved, answer = list(payload.get("unproved") or ()), payload.get("answer")
    if unproved and not isinstance(answer, Mapping):
        raise Refused("nobody has said that what is not proved is met")
    given = answer if isinstance(answer, Mapping) else {}
    said = given.get("answers")
    answers = said if isinstance(said, Mapping) else {}
    refused = [str(one) for one in unproved if answers.get(answer_name(str(one))) != ACCEPTED]
    if refused:
        raise Refused(f"not accepted: {', '.join(refused)}")
    by = {
        "by": list(given.get("approvers") or ()), "at": given.get("decided_at"),
        "request_id": given.get("request_id"), "comments": list(given.get("comments") or ()),
    }  # fmt: skip
    accepted = [{"id": one, "status": CriterionStatus.ACCEPTED.value, "evidence": by} for one in unproved]
    return {"project_id": project.spec.project_id, "commit": payload.get("commit"), "accepted": accepted}
