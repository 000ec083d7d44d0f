"""A `task` that names a type of agent and no handler: an agent does it, where the site has one."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from orchestration.actions.base import Call, Result
from orchestration.actions.task import task
from orchestration.agents.endpoints import lease
from orchestration.core.agent.agent_type import AgentType, is_agent_type
from orchestration.core.enums import Outcome, Purpose
from orchestration.execution.agent_step.asking import Asking
from orchestration.execution.agent_step.step import attempted

OWN = frozenset({"type", "handler"})


def task_or_agent(call: Call) -> Result:
    """What the handler, or else the agent, makes of it."""
    if call.action.get("handler") or not is_agent_type(call.agent_type):
        return task(call)
    kind = AgentType(call.agent_type)
    if not lease.is_served(kind):
        error = f"the task names no handler, and {lease.how_to_add(kind)}"
        return Result(outcome=Outcome.FAILED, error=error)
    asking = Asking(
        agent_type=kind, prompt=_prompt(call), checks=_checks(call.action), changes=False, acts_outside=True
    )
    return attempted(call, asking)


def _prompt(call: Call) -> str:
    """The step's name, its own words, and every key of the action that its author wrote."""
    given = {key: value for key, value in call.action.items() if key not in {*OWN, "checks", "description", "prompt"}}
    own = [str(call.action[key]) for key in ("prompt", "description") if call.action.get(key)]
    undo = ["This undoes what the step had done before."] if call.purpose is Purpose.UNDO else []
    values = [f"Values:\n\n{json.dumps(given, indent=2, ensure_ascii=False)}"] if given else []
    return "\n\n".join([f"# {call.title or call.step_id}", *undo, *own, *values])


def _checks(action: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """The commands that judge it, where the action has them as an `agent` would."""
    given = action.get("checks")
    return tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()
