"""A call that waits: until its run has ended or needs a person, telling what has happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from approvals.core.enums import OPEN
from approvals.queries.requests import requests
from orchestration.core.enums import END_STATUSES, RunStatus
from zen_project.mcp.identity import Caller
from zen_project.mcp.threads import in_thread

MOST_SECONDS = 50.0
LOOK_SECONDS = 0.5
STOPS = frozenset({*END_STATUSES, RunStatus.HELD, RunStatus.NEEDS_ATTENTION})
SETTLED = frozenset({"succeeded", "failed", "skipped"})


class Untold:
    """Stands for a client that wants no progress."""

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """As the SDK's; tells nobody."""


async def waited(
    again: Callable[[Caller, dict[str, Any]], dict[str, Any]], caller: Caller, answer: dict[str, Any], seconds: float,
    context: Context[Any, Any] | Untold,
) -> dict[str, Any]:  # fmt: skip
    """The answer once its run has ended or stands still until a person acts; else as it is after `seconds`."""
    said, count = "", 0
    with anyio.move_on_after(seconds):
        while not await in_thread(partial(stands_still, answer)):
            if (news := in_words(answer)) != said:
                said, count = news, count + 1
                await context.report_progress(count, None, said)
            await anyio.sleep(LOOK_SECONDS)
            answer = await in_thread(partial(again, caller, answer))
    return answer


def stands_still(answer: dict[str, Any]) -> bool:
    """Whether it has ended, or goes on only when a person acts."""
    if answer["status"] != RunStatus.WAITING:
        return answer["status"] in STOPS
    return requests(statuses=[status.value for status in OPEN], about=answer["workflow_id"]).exists()


def in_words(answer: dict[str, Any]) -> str:
    """How far a run is, in a line."""
    if "steps" not in answer:
        return str(answer["status"])
    steps = answer["steps"]
    done = sum(step["status"] in SETTLED for step in steps)
    busy = [step["step_id"] for step in steps if step["status"] in ("running", "waiting")]
    at = f", at {', '.join(busy[:5])}" if busy else ""
    return f"{answer['status']}: {done} of {len(steps)} steps{at}"
