"""What people are asked: by an `approval`, and by the gate of any other step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from orchestration.core.definition.actions.base import LONGEST_SECONDS, ActionModel

POLICY = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
MOST_FIELDS = 150
"""Fields of a gate's own form."""


class Ask(ActionModel):
    """What people are asked, and which. The people are those of a policy, or the ones that are named here."""

    model_config = ConfigDict(extra="forbid")

    policy: str | None = Field(
        None, pattern=POLICY, description="the name of a published policy; left out, the one called as the stage is"
    )
    stage: str | None = Field(None, min_length=1, max_length=100, description="what kind of decision it is, in a word")
    description: str = Field("", max_length=20_000, description="what is asked and why, as Markdown; {placeholders}")
    context: dict[str, JsonValue] = Field(default={}, description="what those who decide have to see; {placeholders}")
    approvers: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=100, strict=False,
        description="user names, e-mail addresses or group:NAME, where no policy says who",
    )  # fmt: skip
    how_many: Literal["any", "all"] | int | str | None = Field(
        None, description="any, all, a number or a share such as 60%, of the approvers named here"
    )
    timeout_seconds: Annotated[float, Field(gt=0, le=LONGEST_SECONDS)] | None = Field(
        None, description="seconds until it expires; it can only shorten what a policy allows"
    )
    editable: tuple[str, ...] = Field(
        (), max_length=50, strict=False, description="what may be changed with a yes, such as context.replicas"
    )
    callback_url: str | None = Field(None, description="gets a signed request when it is decided")
    form: tuple[dict[str, JsonValue], ...] = Field(
        (), max_length=MOST_FIELDS, strict=False,
        description="a list of fields that are answered with a yes, as a policy's form has them",
    )  # fmt: skip
    rework: str | None = Field(
        None, min_length=1, max_length=100,
        description="the id of a step before it, which is done again with all after it when changes are requested",
    )  # fmt: skip
    reworked: int = Field(
        0, ge=0, le=1000, description="how often that was done by earlier requests; after five times it is decided"
    )


class Approval(Ask):
    """A gate of its own: the run goes on when people have said yes. Its output holds who decided, and the context."""

    type: Literal["approval"]
