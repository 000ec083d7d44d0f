"""Why a workflow, its task or an activity fails, by the server's own history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Literal

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
)
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client

from foundation.clock import iso
from orchestration.engines.temporal.connection import SOON
from orchestration.engines.temporal.payload_codec import Unreadable

DEEPEST_CAUSE = 3

OF_ANOTHER_FLOW = (
    "reinstall the release that the run was started with, or install one that knows its flow version "
    "(docs/howto/upgrading.md); "
    "it goes on by itself then"
)

_Failed = Literal["workflow_execution_failed_event_attributes", "workflow_task_failed_event_attributes"]


async def failure_of(client: Client, workflow_id: str, attributes: _Failed) -> str:
    """What the latest failure in the history says. After a time-out, which is a worker's death, there is none."""
    asked = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id), maximum_page_size=5
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(asked, timeout=SOON)
    for event in answer.history.events:
        if event.HasField(attributes):
            try:
                error = await client.data_converter.decode_failure(getattr(event, attributes).failure)
            except Unreadable as unreadable:
                return f": {unreadable}"
            return f": {': '.join(_messages(error))}"
        if event.event_type not in _BETWEEN:
            break
    return ""


_BETWEEN = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)


def _messages(error: BaseException | None) -> Iterator[str]:
    """Its own, and those of its causes."""
    for _ in range(DEEPEST_CAUSE):
        if error is None:
            return
        yield _first_line(str(getattr(error, "message", error)))
        error = error.__cause__


def remedy_for(why: str) -> str:
    """What to do about a workflow task that fails; `why`: as of `failure_of`."""
    if "ZEN_TEMPORAL_CODEC_KEYS" in why:
        return "give the temporal worker that key; the run goes on by itself then"
    if "TMPRL1100" in why or "ondeterminis" in why:
        return OF_ANOTHER_FLOW
    return "it is tried again by itself; the log of the temporal worker says more"


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0][:300]


def retries_of(raw: DescribeWorkflowExecutionResponse) -> dict[tuple[str, str, int, int], str]:
    """{(step id, purpose, iteration, attempt): why its activity is tried again}, of those that are."""
    again = [one for one in raw.pending_activities if one.attempt > 1]
    return {name: _words(one) for one in again if (name := _name_of(one)) is not None}


def _name_of(one: PendingActivityInfo) -> tuple[str, str, int, int] | None:
    """As the workflow named it: step:purpose:iteration:attempt."""
    parts = one.activity_id.rsplit(":", 3)
    return (parts[0], parts[1], int(parts[2]), int(parts[3])) if len(parts) == 4 else None


def _words(one: PendingActivityInfo) -> str:
    failure = _first_line(one.last_failure.message)
    after = f" after: {failure}" if failure else ""
    if one.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        return f"its machinery is at try {one.attempt}{after}"
    due = one.next_attempt_schedule_time
    when = f" at {iso(due.ToDatetime(UTC))}" if one.HasField("next_attempt_schedule_time") else ""
    return f"its machinery tries again{when} (try {one.attempt}){after}"
