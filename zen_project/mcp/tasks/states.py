"""A run as a task."""

from __future__ import annotations

from typing import Any

from foundation.errors import NotFound
from orchestration.core.enums import Cause, RunStatus
from orchestration.models import Run
from orchestration.runs import get_run
from zen_project.mcp.bounds import bounded
from zen_project.mcp.calls import told
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.tasks.inputs import Inputs
from zen_project.mcp.tools.projects import project_answer
from zen_project.mcp.tools.runs import run_answer
from zen_project.mcp.waiting import in_words

BEGINS = "run-"
WORKING_MS, ASKING_MS = 1000, 2000
"""How often a client should ask: while it goes on, and while people are waited for."""

TAKEN_BACK = frozenset({Cause.OPERATOR, Cause.CANCELLED})
NEED_PEOPLE = {
    RunStatus.HELD: "it is held until somebody releases it",
    RunStatus.NEEDS_ATTENTION: "somebody has to look at it: explain_run says why",
}


def id_of(workflow_id: str) -> str:
    """The task of a run."""
    return f"{BEGINS}{workflow_id}"


def run_of(task_id: str) -> Run:
    """The run of a task.

    Raises:
        NotFound: there is no such task.
    """
    if not task_id.startswith(BEGINS):
        raise NotFound(f"there is no task '{task_id[:200]}'", field="taskId", remedy="give the taskId of an answer")
    return get_run(task_id.removeprefix(BEGINS))


def task_of(run: Run, inputs: Inputs, answer: Answer) -> dict[str, Any]:
    """A task as it is told when it is made: without its result, and what is asked. `answer`: the run as shown."""
    status = status_of(run, inputs)
    last = run.events.order_by("-seq").values_list("at", flat=True).first()
    about = inputs.in_words() or NEED_PEOPLE.get(RunStatus(run.status), "")
    return {
        "taskId": id_of(run.workflow_id),
        "status": status,
        "statusMessage": "; ".join(filter(None, (in_words(answer), about)))[:1000],
        "createdAt": run.created_at.isoformat(),
        "lastUpdatedAt": (run.finished_at or last or run.created_at).isoformat(),
        "ttlMs": None,
        "pollIntervalMs": ASKING_MS if status == "input_required" else WORKING_MS,
    }


def detailed(caller: Caller, run: Run, inputs: Inputs) -> dict[str, Any]:
    """A task as `tasks/get` tells it: with what is asked, or with the result."""
    answer = bounded(answer_of(run, caller))
    task = task_of(run, inputs, answer)
    if task["status"] == "input_required":
        return task | {"inputRequests": inputs.requests}
    if task["status"] == "completed":
        result = told(answer).model_copy(update={"is_error": run.status != RunStatus.COMPLETED})
        return task | {"result": result.model_dump(by_alias=True, mode="json", exclude_none=True)}
    return task


def status_of(run: Run, inputs: Inputs) -> str:
    """In the words of tasks. One that ended otherwise than well is completed, its result an error."""
    status = RunStatus(run.status)
    if status is RunStatus.ROLLED_BACK and run.cause in TAKEN_BACK:
        return "cancelled"
    if status.is_end:
        return "completed"
    return "input_required" if inputs.waits_for_people or status in NEED_PEOPLE else "working"


def answer_of(run: Run, caller: Caller) -> Answer:
    """The run as the tool that started it answers it."""
    return project_answer(run, caller) if run.kind == Run.PROJECT else run_answer(run, caller)
