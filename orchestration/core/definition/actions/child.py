"""`saga`: a child."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from orchestration.core.definition.actions.base import ActionModel

CHILD = r"^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}|\{[^{}]{1,200}\})$"
"""The saga_id of a published saga, or one placeholder."""


class ChildSaga(ActionModel):
    """A saga of its own, undone as one with its parent."""

    type: Literal["saga"]
    definition: Annotated[str, Field(pattern=CHILD)] | dict[str, JsonValue] = Field(
        description="the saga_id of a published saga, a whole definition, or a {placeholder} for one"
    )
    context: dict[str, JsonValue] = Field(default={}, description="laid over the child's context; may hold templates")

    @property
    def is_found_out(self) -> bool:
        """Whether its definition is known only during the run."""
        return is_placeholder(self.definition)


def is_placeholder(definition: object) -> bool:
    """Whether the definition of a child is one that a step before it gives."""
    return isinstance(definition, str) and definition.startswith("{")
