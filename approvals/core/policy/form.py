"""The form that a stage asks deciders to fill in: a flat list of typed fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

Kind = Literal["string", "number", "integer", "boolean", "choice", "date"]
LONGEST_CHOICE = 75
"""Characters: the lists that Slack shows hold no more."""

LARGEST_WHOLE = 2**53
"""Up to here all programs keep whole numbers as they are."""

NEW = {"new": True}
"""The context of validation where somebody gives a form now. One that was kept before may have bounds that are refused
today, and is read as it is.
"""


def _as_it_is(value: object) -> object:
    """Neither a text nor true is a number, and no number is rounded."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    if not math.isfinite(value) if isinstance(value, float) else abs(value) >= 10**308:
        raise ValueError("is too large")
    return value


Bound = Annotated[int | float, BeforeValidator(_as_it_is)]
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
    def _fits(self, info: ValidationInfo) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices belong to type: choice, and it needs some")
        if twice := repeated(self.choices):
            raise ValueError(f"two of the choices are {twice}")
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if bounds and self.type not in ("number", "integer"):
            raise ValueError("minimum and maximum belong to type: number or integer")
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise ValueError("minimum is above maximum")
        for bound in bounds if info.context == NEW else ():
            if self.type == "integer" and bound != math.floor(bound):
                raise ValueError(f"a bound of whole numbers is not whole: {as_text(bound)}")
            if (self.type == "integer" or isinstance(bound, int)) and abs(bound) > LARGEST_WHOLE:
                raise ValueError(f"a bound is beyond {LARGEST_WHOLE}: {as_text(bound)}; use one that is nearer to 0")
        return self

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ")


def as_text(bound: float) -> str:
    """A bound for people, exactly."""
    whole = isinstance(bound, int) or (bound == math.floor(bound) and abs(bound) <= LARGEST_WHOLE)
    return str(int(bound)) if whole else repr(bound)


def repeated(names: Iterable[str]) -> str:
    """The names that come more than once, in words; '' when each is one of a kind."""
    return ", ".join(name for name, times in Counter(names).items() if times > 1)
