"""The client that Python code uses: connect, start a workflow, ask for its status, cancel it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils.module_loading import import_string

from orchestration import selectors
from orchestration.core.words import Cause, RunStatus, Verb
from orchestration.engines.registry import ENGINES
from orchestration.engines.temporal.dto import WORKFLOW
from orchestration.errors import BadInput
from orchestration.sagas import PYTHON, start_distributed_saga
from orchestration.services import act, get_run


class TemporalWorkflowClient:
    """Starts and steers runs, on Temporal when it answers and on our own engine otherwise (ZEN_ENGINE)."""

    async def connect(self) -> bool:
        """Whether Temporal answers; without it new runs go to the celery engine."""
        reach = await sync_to_async(ENGINES["temporal"].reach)()
        return reach.ok

    async def start_workflow(
        self, workflow_class: Any, workflow_args: Mapping[str, Any], workflow_id: str = "", **options: Any
    ) -> dict[str, Any]:
        """Start a run. For SagaWorkflow `workflow_args` is the definition; `options` as of start_distributed_saga."""
        name = workflow_class if isinstance(workflow_class, str) else getattr(workflow_class, "__name__", "")
        if name != WORKFLOW:
            raise BadInput(
                f"workflow class {name!r} is not one of ours", field="workflow_class", remedy=f"use {WORKFLOW}"
            )
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
        """Ask people about a workflow; see approvals.client, which also waits for the answer and decides."""
        ask = import_string(settings.ZEN_ASK)
        found: dict[str, Any] = await ask(
            workflow_id, stage, description, context, timeout_seconds, callback_url, **more
        )
        return found

    async def get_workflow_status(self, workflow_id: str) -> dict[str, Any]:
        """The run as the console and the API show it. Raises NotFound."""
        return await sync_to_async(lambda: selectors.run_view(get_run(workflow_id)))()

    async def cancel_workflow(self, workflow_id: str, reason: str = "") -> dict[str, Any]:
        """Abort the run and undo what it did; a run that compensates or has ended already is left as it is."""
        return await sync_to_async(_cancel)(workflow_id, reason)


@lru_cache(maxsize=1)
def get_temporal_client() -> TemporalWorkflowClient:
    return TemporalWorkflowClient()


def _cancel(workflow_id: str, reason: str) -> dict[str, Any]:
    run = get_run(workflow_id)
    status = RunStatus(run.status)
    waits_to_abort = status is RunStatus.NEEDS_ATTENTION and run.head.get("aborting") is False  # an overdue handler
    if waits_to_abort or not (status.is_end or status in (RunStatus.COMPENSATING, RunStatus.NEEDS_ATTENTION)):
        run = act(workflow_id=workflow_id, verb=Verb.ABORT, actor=PYTHON, note=reason, cause=Cause.CANCELLED)
    return selectors.run_view(run)


def __getattr__(name: str) -> Any:
    """SagaWorkflow needs the Temporal SDK, an extra, so it is imported when it is asked for."""
    if name == WORKFLOW:
        from orchestration.engines.temporal.workflow import SagaWorkflow

        return SagaWorkflow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
