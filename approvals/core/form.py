"""What a stage asks of whoever decides, besides the decision: a flat form of typed fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Kind = Literal["string", "number", "integer", "boolean", "choice", "date"]
LONGEST_CHOICE = 75
"""Characters: the lists that Slack shows hold no more."""

Bound = Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(allow_inf_nan=False)]
Choice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_CHOICE)]
Word = Literal["approve", "reject", "request-changes", "abstain"]


class FormField(BaseModel):
    """`on`: the decisions it is asked for. `minimum`, `maximum`: of a number, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,49}$")
    label: str = Field(default="", max_length=200)
    type: Kind = "string"
    choices: tuple[Choice, ...] = Field(default=(), max_length=50)
    minimum: Bound | None = None
    maximum: Bound | None = None
    required: bool = True
    on: tuple[Word, ...] = Field(default=("approve",), min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices belong to type: choice, and it needs some")
        if twice := repeated(self.choices):
            raise ValueError(f"two of the choices are {twice}")
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if bounds and self.type not in ("number", "integer"):
            raise ValueError("minimum and maximum belong to type: number or integer")
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise ValueError("minimum is above maximum")
        return self

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ")


def repeated(names: Iterable[str]) -> str:
    """The names that come more than once, in words; '' when each is one of a kind."""
    return ", ".join(name for name, times in Counter(names).items() if times > 1)
