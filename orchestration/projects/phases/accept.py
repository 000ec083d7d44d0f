"""The phase `accept`: who took what as met that nothing proves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.base import Result
from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.project.criteria import CriterionStatus
from orchestration.core.project.sagas.acceptance import ACCEPTED, answer_name
from orchestration.projects.phases.project import project_of
from orchestration.projects.phases.rework import leave, sent_back
from orchestration.runs.acts.rework import changes_wanted


def send_back(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any] | Result:
    """Nothing at first. Once changes were requested where people are asked, the project is sent back for them.

    The request about what there was before ends then; the project goes on from its step CHANGES, and asks anew.
    """
    project = project_of(context)
    words = changes_wanted(project.step_run, context.step_id)
    if not words:
        return {}
    found = sent_back(project, [str(one) for one in payload.get("unproved") or ()], [{"comment": words[-1]}])
    return found if isinstance(found, Result) else leave(project.step_run)


def accept(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any] | Result:
    """For each criterion that was asked about, that it is accepted, by whom and when; nothing where all was proved.

    What is not accepted is reworked by the project, which verifies and asks again.
    """
    project = project_of(context)
    unproved, answer = list(payload.get("unproved") or ()), payload.get("answer")
    if unproved and not isinstance(answer, Mapping):
        raise Refused("nobody has said that what is not proved is met")
    given = answer if isinstance(answer, Mapping) else {}
    said = given.get("answers")
    answers = said if isinstance(said, Mapping) else {}
    refused = [str(one) for one in unproved if answers.get(answer_name(str(one))) != ACCEPTED]
    if refused:
        comments = [one for one in given.get("comments") or () if isinstance(one, Mapping)]
        return sent_back(project, refused, comments)
    by = {
        "by": list(given.get("approvers") or ()), "at": given.get("decided_at"),
        "request_id": given.get("request_id"), "comments": list(given.get("comments") or ()),
    }  # fmt: skip
    accepted = [{"id": one, "status": CriterionStatus.ACCEPTED.value, "evidence": by} for one in unproved]
    return {"project_id": project.spec.project_id, "commit": payload.get("commit"), "accepted": accepted}
