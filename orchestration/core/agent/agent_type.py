"""The types of agents. An endpoint has one, and a step or a project names one."""

from __future__ import annotations

from enum import StrEnum

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
