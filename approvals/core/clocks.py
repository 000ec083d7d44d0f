"""The clocks of the open stage: reminders, escalations, its end; and the end of a cooling-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from approvals.core.hours import due
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Status

LONGEST_UNHEARD = timedelta(minutes=15)
"""A clock that waits for a first delivery waits no longer than this: nothing may stand open for ever."""

NUDGE_PAUSE = timedelta(minutes=10)
"""Between two reminders by hand of one request: people who are reminded all the time stop reading."""

Hand = Literal["begin", "remind", "escalate", "expire", "settle"]
_ORDER: dict[Hand, int] = {"begin": 0, "remind": 1, "escalate": 2, "settle": 3, "expire": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next thing that a clock will do. On the same moment a reminder comes before the end."""

    at: datetime
    hand: Hand


def next_due(plan: Plan, state: State) -> Due | None:
    """None where only people can make it go on."""
    dues = _dues(plan, state)
    return min(dues, key=lambda one: (one.at, _ORDER[one.hand]), default=None)


def expires_at(plan: Plan, state: State) -> datetime | None:
    """The deadline of the open stage."""
    return next((one.at for one in _dues(plan, state) if one.hand == "expire"), None)


def can_be_reminded_at(state: State) -> datetime | None:
    """Not by hand before this; None where nobody has done so yet."""
    return state.nudged_at + NUDGE_PAUSE if state.nudged_at else None


def _dues(plan: Plan, state: State) -> list[Due]:
    if state.status is Status.COOLING_OFF and state.settles_at:
        return [Due(at=state.settles_at, hand="settle")]
    if state.status not in (Status.PENDING, Status.CHANGES_REQUESTED):
        return []
    stage, start = plan.stages[state.stage], state.clock_from
    if start is None:
        return [Due(at=state.opened_at + LONGEST_UNHEARD, hand="begin")] if state.opened_at else []
    found: list[Due] = []
    if state.status is Status.PENDING:
        if state.reminded < len(stage.reminders):
            found.append(Due(at=due(start, stage.reminders[state.reminded], plan.hours), hand="remind"))
        if state.escalated < len(stage.levels):
            found.append(Due(at=due(start, stage.levels[state.escalated].after, plan.hours), hand="escalate"))
    if stage.expires is not None:
        found.append(Due(at=due(start, stage.expires, plan.hours), hand="expire"))
    return found
