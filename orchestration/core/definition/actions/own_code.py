"""`script` and `task`: work that the site's own code does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from orchestration.core.definition.actions.base import ActionModel

VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


class Script(ActionModel):
    """A script run in its own process group. Its text is not a template: values reach it through `env`."""

    type: Literal["script"]
    script: str = Field(min_length=1, description="the script's text, with a #! line if it is not for sh")
    env: dict[Annotated[str, Field(pattern=VARIABLE_NAME)], JsonValue] = Field(
        default={}, description="environment variables of the script; values may hold {placeholders}"
    )


class Task(ActionModel):
    """A registered handler, or the agent that the step's `agent_type` names."""

    type: Literal["task"]
    handler: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,199}$", description="the name of a registered handler"
    )
