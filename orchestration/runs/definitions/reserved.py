"""Handlers of Zen's own (`zen.…`): sagas that Zen has compiled may name them, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foundation.errors import BadInput
from orchestration.actions.task import RESERVED
from orchestration.core.definition import Problem, SagaDefinition
from orchestration.core.definition.shape import step_label
from orchestration.models import Definition


def reserved_problems(definition: SagaDefinition) -> list[Problem]:
    """One for each step that names such a handler, also in the steps of a child that is written in place."""
    body = definition.model_dump(mode="json", include={"steps"})
    return [
        Problem(
            step=step_label(step, number),
            field="handler",
            value=name,
            message="is a handler of Zen's own, which no saga of yours can name",
            remedy="start a project, or deploy one; register your own handler in ZEN_TASKS",
        )
        for number, step in enumerate(body["steps"])
        for name in dict.fromkeys(_named(step))
    ]


def is_own(definition: Definition) -> bool:
    """Whether Zen has compiled a stored definition: no other one with such a handler was ever stored."""
    return any(True for _ in _named(definition.body.get("steps")))


def refuse_reserved_action(action: dict[str, Any]) -> None:
    """The same for an action that a person gives by itself. Raises BadInput."""
    for name in _named(action):
        message = f"'{name}' is a handler of Zen's own, which nobody calls by hand"
        raise BadInput(message, field="action.handler", value=name, remedy="retry the step's own compensation")


def _named(value: Any) -> Iterator[str]:
    """The reserved names in the tasks of this JSON."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            name = one.get("handler")
            if one.get("type") == "task" and isinstance(name, str) and name.startswith(RESERVED):
                yield name
            todo += one.values()
