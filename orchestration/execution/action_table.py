"""The table of actions: adding one is one module and one line here (and its model in core/definition/actions.py)."""

from __future__ import annotations

from orchestration.actions.api_call import api_call
from orchestration.actions.base import Perform
from orchestration.actions.script import script
from orchestration.actions.task import task
from orchestration.actions.wait import wait
from orchestration.execution.child_run import child

ACTIONS: dict[str, Perform] = {"api_call": api_call, "script": script, "task": task, "saga": child, "wait": wait}
"""A `wait` in numbers is a timer of the flow and never gets here."""
