"""What a step asks of an agent, its values checked after its templates were filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.agent.prices import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """As of the action `agent` (core/definition/actions). `acts_outside`: a task, whose effect may be anywhere.

    `merges`: the commit whose merge is in conflict, which the attempt is to make possible.
    """

    agent_type: AgentType
    prompt: str
    context_files: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    max_turns: int | None = None
    budget: Decimal | None = None
    repository: str = ""
    branch: str = ""
    requirements: tuple[str, ...] = ()
    stall_seconds: float | None = None
    changes: bool = True
    acts_outside: bool = False
    merges: str = ""


def asked_for(action: Mapping[str, JsonValue]) -> Asking:
    """Of an action `agent`. Raises ValueError, in a sentence, for a value that cannot be used."""
    given: Mapping[str, Any] = action
    prompt = str(given["prompt"]).strip()
    if not prompt:
        raise ValueError(
            "the step's prompt is empty once its templates are filled in; the agent has to be told something"
        )
    return Asking(
        agent_type=AgentType(given["agent"]),
        prompt=prompt,
        context_files=_texts(given, "context_files"),
        checks=_texts(given, "checks"),
        files=_texts(given, "files"),
        max_turns=given.get("max_turns"),
        budget=_budget(given.get("budget")),
        repository=str(given.get("repository") or ""),
        branch=str(given.get("branch") or ""),
        requirements=_texts(given, "requirements"),
        stall_seconds=given.get("stall_seconds"),
        changes=bool(given.get("changes", True)),
        merges=str(given.get("merges") or ""),
    )


def _budget(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        return money(value)
    except ValueError as error:
        raise ValueError(f"the step's budget, {str(value)[:80]!r}, {error}") from None


def _texts(given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(str(one) for one in given.get(key) or ())
