"""The public client for Python code: connect, start a workflow, ask for its status, cancel it.

Acts through it are those of the actor `python`, an administrator without an account (`orchestration.sagas.PYTHON`).
All methods are coroutines; database work runs in a thread (`sync_to_async`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async

from foundation.errors import BadInput
from orchestration.core.enums import Cause, RunStatus, Verb
from orchestration.engines.registry import ENGINES
from orchestration.engines.temporal.dto import WORKFLOW, WORKFLOWS
from orchestration.models import Run
from orchestration.ports import approval_gate
from orchestration.projects import start_multi_agent_project
from orchestration.runs import act, get_run, queries
from orchestration.sagas import PYTHON, start_distributed_saga

# and SagaWorkflow and MultiAgentProjectWorkflow, which need the extra `temporal`
__all__ = ["TemporalWorkflowClient", "get_temporal_client"]

PROJECT = WORKFLOWS[Run.PROJECT]


class TemporalWorkflowClient:
    """Starts and steers runs, on Temporal when it answers and on our own engine otherwise (setting ZEN_ENGINE)."""

    async def connect(self) -> bool:
        """Whether Temporal answers.

        If it does not, new runs go to the own engine, unless the settings say otherwise.
        """
        reach = await sync_to_async(ENGINES["temporal"].reach)()
        return reach.ok

    async def start_workflow(
        self, workflow_class: Any, workflow_args: Mapping[str, Any], workflow_id: str = "", **options: Any
    ) -> dict[str, Any]:
        """Start a run; returns what `orchestration.sagas.start_distributed_saga` returns.

        `workflow_class`: `SagaWorkflow` or `MultiAgentProjectWorkflow`, the class or its name. `workflow_args`: the
        saga's definition as JSON, or the project's spec. `workflow_id`: the handle; '' gets a new one, of a project its
        project_id. `options`: the other arguments of `start_distributed_saga`, or of `start_multi_agent_project`.

        Raises:
            BadInput: another workflow class, or as of the function that starts it.
            NotAllowed: the account that `started_by` names may not start runs.
            Unreachable: an engine that was asked for by name is away.
        """
        name = workflow_class if isinstance(workflow_class, str) else getattr(workflow_class, "__name__", "")
        if name == PROJECT:
            return await start_multi_agent_project(workflow_args, workflow_id=workflow_id, **options)
        if name != WORKFLOW:
            remedy = f"use {WORKFLOW} or {PROJECT}"
            raise BadInput(f"workflow class {name!r} is not one of ours", field="workflow_class", remedy=remedy)
        return await start_distributed_saga(workflow_args, workflow_id=workflow_id, **options)

    async def request_human_approval(
        self,
        workflow_id: str,
        stage: str,
        description: str,
        context: Mapping[str, Any] | None = None,
        timeout_seconds: float | None = None,
        callback_url: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        """Ask people about a workflow; returns the request as JSON.

        `approvals.client` also waits for the answer and decides.

        `workflow_id`: what it is about. `stage`, `description`: what the request is called and says. `context`: JSON
        that is shown to those who decide. `timeout_seconds`: until it expires; None leaves it to the policy.
        `callback_url`: called with the outcome. `more`: further arguments of `approvals.client.request_human_approval`.

        Raises:
            BadInput: an unknown policy or person, or a context that cannot be stored.
            Unreachable: the engine that would keep the request's time is away.
        """
        given = {"context": context, "timeout_seconds": timeout_seconds, "callback_url": callback_url, **more}
        return await approval_gate().ask(workflow_id, stage, description, **given)

    async def get_workflow_status(self, workflow_id: str) -> dict[str, Any]:
        """The run `workflow_id` as the console and the API show it (`runs.queries.run_view`).

        Raises:
            NotFound: there is no such run.
        """
        return await sync_to_async(lambda: queries.run_view(get_run(workflow_id)))()

    async def cancel_workflow(self, workflow_id: str, reason: str = "") -> dict[str, Any]:
        """Abort the run `workflow_id` and undo what it did; returns the run as `get_workflow_status` does.

        `reason` is kept as the note of the act. A run that compensates or has ended already is left as it is. While its
        engine is away the act is stored, and delivered later.

        Raises:
            NotFound: there is no such run.
            WrongState: the run refuses to be aborted now.
        """
        return await sync_to_async(_cancel)(workflow_id, reason)


@lru_cache(maxsize=1)
def get_temporal_client() -> TemporalWorkflowClient:
    """The client, one for a process."""
    return TemporalWorkflowClient()


def _cancel(workflow_id: str, reason: str) -> dict[str, Any]:
    run = get_run(workflow_id)
    status = RunStatus(run.status)
    waits_to_abort = status is RunStatus.NEEDS_ATTENTION and run.head.get("aborting") is False  # an overdue handler
    if waits_to_abort or not (status.is_end or status in (RunStatus.COMPENSATING, RunStatus.NEEDS_ATTENTION)):
        run = act(workflow_id=workflow_id, verb=Verb.ABORT, actor=PYTHON, note=reason, cause=Cause.CANCELLED)
    return queries.run_view(run)


def __getattr__(name: str) -> Any:
    """The classes need the Temporal SDK, an extra, so they are imported when they are asked for."""
    if name == WORKFLOW:
        from orchestration.workers.temporal.saga_workflow import SagaWorkflow  # noqa: PLC0415 - temporalio is an extra

        return SagaWorkflow
    if name == PROJECT:
        from orchestration.workers.temporal.project_workflow import MultiAgentProjectWorkflow  # noqa: PLC0415 - the same

        return MultiAgentProjectWorkflow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
