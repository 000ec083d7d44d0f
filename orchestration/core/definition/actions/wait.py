"""`wait`: a durable timer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from orchestration.core.definition.actions.base import LONGEST_SECONDS, ActionModel

UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}

Duration = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
Length = Duration | Annotated[str, Field(pattern=r"^\{[^{}]+\}$")]


class Wait(ActionModel):
    """A durable timer: until a time, or for as long as the units that are given add up to."""

    type: Literal["wait"]
    seconds: Length | None = Field(None, description="seconds to wait, a number from 0 or a {placeholder} for one")
    minutes: Length | None = Field(None, description="minutes to wait, a number from 0 or a {placeholder} for one")
    hours: Length | None = Field(None, description="hours to wait, a number from 0 or a {placeholder} for one")
    days: Length | None = Field(None, description="days to wait, a number from 0 or a {placeholder} for one")
    until: str | None = Field(
        None,
        min_length=1,
        description="a time with its offset, such as 2026-07-01T08:00:00+02:00, or a {placeholder} for one",
    )

    @property
    def total_seconds(self) -> float | None:
        """None when it is known only during the run."""
        given = self.model_dump(exclude_none=True, include=set(UNITS))
        is_known = self.until is None and not any(isinstance(length, str) for length in given.values())
        return wait_seconds(given) if is_known else None


def wait_seconds(action: Mapping[str, Any]) -> float:
    """The length of a wait action given as a mapping."""
    given = {unit: action.get(unit) for unit in UNITS}
    return sum((n * UNITS[unit] for unit, n in given.items() if isinstance(n, int | float)), start=0.0)
