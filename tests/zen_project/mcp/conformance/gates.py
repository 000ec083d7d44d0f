"""Tools that the suite for tasks expects: each starts a real saga, so that its task is a run as any other."""

from __future__ import annotations

import os
from typing import Any

from foundation.identity.actor import Actor
from foundation.identity.permissions import OPERATOR
from orchestration.api.serializers import RunOut
from orchestration.runs import get_run, start_run
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer
from zen_project.mcp.sdk import ZenServer
from zen_project.mcp.server import tool_of
from zen_project.mcp.tools.fields import Nothing
from zen_project.mcp.tools.runs import run_answer

STARTER = Actor(name="suite", door="mcp", roles=frozenset({OPERATOR}))
"""Somebody else than the one who decides, since nobody decides what they asked for."""

STARTS = ("slow_compute", "failing_job", "confirm_delete", "multi_input")


class Slow(Arguments):
    """How long."""

    seconds: float = 0
    label: str = ""


class File(Arguments):
    """Which file."""

    filename: str = ""


def _started(caller: Caller, *actions: dict[str, Any]) -> Answer:
    steps = [
        {"step_id": f"s{number}", "forward_action": action, "dependencies": []} for number, action in enumerate(actions)
    ]
    run, _ = start_run(definition={"saga_id": "suite", "steps": steps}, actor=STARTER, engine="celery")
    return run_answer(get_run(run.workflow_id), caller)


def _gate(*form: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "approval", "approvers": [os.environ["ZEN_TEST_MCP_PERSON"]], "form": list(form)} | more


CONFIRM = {"name": "confirm", "type": "boolean"}


def slow_compute(caller: Caller, given: Slow) -> Answer:
    """Wait."""
    return _started(caller, {"type": "wait", "seconds": given.seconds})


def failing_job(caller: Caller, given: Nothing) -> Answer:
    """Fail after a second: nobody decides in time."""
    return _started(caller, _gate(timeout_seconds=1))


def confirm_delete(caller: Caller, given: File) -> Answer:
    """Ask once."""
    return _started(caller, _gate(CONFIRM, description=f"Delete {given.filename}?"))


def multi_input(caller: Caller, given: Nothing) -> Answer:
    """Ask twice at once."""
    gate = _gate({"name": "name"}, CONFIRM)
    return _started(caller, gate, gate)


def add_to(server: ZenServer) -> None:
    """Add them to a server."""
    tools: list[tuple[Any, type[Arguments]]] = [
        (slow_compute, Slow), (failing_job, Nothing), (confirm_delete, File), (multi_input, Nothing),
    ]  # fmt: skip
    for do, arguments in tools:
        entry = Entry(name=do.__name__, title=do.__name__, arguments=arguments, answers=answer(RunOut), do=do)
        server._tool_manager._tools[entry.name] = tool_of(entry)
