"""The types of agents. An endpoint has one, and a step or a project names one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from orchestration.core.likeness import nearest


class AgentType(StrEnum):
    """Which agent. CUSTOM is any other program that speaks a protocol of ours."""

    CLAUDE = "CLAUDE"
    CODEX = "CODEX"
    AIDER = "AIDER"
    GEMINI = "GEMINI"
    OPENCODE = "OPENCODE"
    GOOSE = "GOOSE"
    CURSOR = "CURSOR"
    COPILOT = "COPILOT"
    CUSTOM = "CUSTOM"

    @classmethod
    def _missing_(cls, value: object) -> AgentType | None:
        """In any case: "claude" and "Claude" are CLAUDE. Raises ValueError, with what was probably meant."""
        if isinstance(value, str) and value.strip().upper() in cls.__members__:
            return cls.__members__[value.strip().upper()]
        message, remedy = unknown_type(value)
        raise ValueError(f"{str(value)[:80]!r} {message}; {remedy}")


def unknown_type(value: object) -> tuple[str, str]:
    """Message and remedy for what is no type of agent."""
    known = [one.value for one in AgentType]
    near = nearest(str(value)[:80].upper(), known)
    return "is not a type of agent", f"did you mean '{near}'?" if near else f"the types are: {', '.join(known)}"


def is_agent_type(value: object) -> bool:
    """Whether it names a type, in any case."""
    return isinstance(value, str) and value.strip().upper() in AgentType.__members__


def is_for_an_agent(step: Mapping[str, Any]) -> bool:
    """Whether an agent does a step: an action `agent`, or a task that names a type of agent and no handler."""
    action = step["forward_action"]
    named = action["type"] == "task" and not action.get("handler") and is_agent_type(step.get("agent_type"))
    return named or action["type"] == "agent"
