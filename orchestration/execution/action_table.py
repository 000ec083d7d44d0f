"""The table of actions: adding one is one module and one line here (and its model in core/definition/actions/)."""

from __future__ import annotations

from orchestration.actions.api_call import api_call
from orchestration.actions.base import Perform
from orchestration.actions.script import script
from orchestration.actions.wait import wait
from orchestration.execution.agent_step.from_task import task_or_agent
from orchestration.execution.agent_step.step import agent
from orchestration.execution.child_run import child

ACTIONS: dict[str, Perform] = {
    "api_call": api_call,
    "script": script,
    "task": task_or_agent,
    "saga": child,
    "wait": wait,
    "agent": agent,
}
"""A `wait` in numbers is a timer of the flow and never gets here."""
