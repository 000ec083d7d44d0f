"""The queues that a run needs, with those of the children that its saga names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.core.agent.agent_type import is_for_an_agent
from orchestration.core.definition.actions import is_placeholder
from orchestration.core.queues import AGENTS, DEFAULT
from orchestration.models import Run
from orchestration.runs.definitions import published

MOST_SAGAS = 100
"""Published sagas that are looked into."""


def queues_of_family(run: Run) -> set[str]:
    """The default one among them where a step names none. A query for each published saga that is named below."""
    found: set[str] = set()
    todo: list[Mapping[str, Any]] = [run.definition.body]
    seen: set[str] = set()
    while todo:
        for step in _steps(todo.pop()):
            found.add(str(step.get("queue") or (AGENTS if is_for_an_agent(step) else DEFAULT)))
            action = step["forward_action"]
            child = action.get("definition") if action["type"] == "saga" else None
            if isinstance(child, Mapping):
                todo.append(child)
            elif isinstance(child, str) and not is_placeholder(child) and child not in seen and len(seen) < MOST_SAGAS:
                seen.add(child)
                todo.append(_latest(child))
    return found


def _steps(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from definition.get("steps") or ()


def _latest(saga_id: str) -> Mapping[str, Any]:
    return published(saga_id).values_list("body", flat=True).first() or {}
