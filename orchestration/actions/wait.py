"""`wait` for a time that is known only during the run: the timer itself is the flow's, as for a wait in numbers."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pydantic import JsonValue

from foundation.clock import now
from orchestration.actions.base import Call, Result
from orchestration.core.definition.actions import LONGEST_SECONDS, UNITS
from orchestration.core.definition.problems import short
from orchestration.core.enums import Outcome


class _NoTime(Exception):
    pass


def wait(call: Call) -> Result:
    at = now()
    try:
        due = _moment(call.action["until"]) if call.action.get("until") is not None else at + _length(call)
    except _NoTime as wrong:
        return Result(outcome=Outcome.FAILED, error=str(wrong))
    if due > at + timedelta(seconds=LONGEST_SECONDS):
        return Result(outcome=Outcome.FAILED, error=f"would wait until {due.isoformat()}, longer than 366 days")
    return Result(outcome=Outcome.SUCCEEDED, output={"until": due.isoformat()}, resume_at=due)


def _length(call: Call) -> timedelta:
    given = {unit: call.action[unit] for unit in UNITS if call.action.get(unit) is not None}
    if not given:
        raise _NoTime("the time to wait would be null")
    total = sum(_number(unit, value) * UNITS[unit] for unit, value in given.items())
    return timedelta(seconds=min(total, 2 * LONGEST_SECONDS))


def _number(unit: str, value: JsonValue) -> float:
    """Capped, so that a sum of them stays a time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise _NoTime(f"{unit} would be {short(value)}, not a number from 0")
    return float(min(value, 2 * LONGEST_SECONDS))


def _moment(value: JsonValue) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _NoTime(f"until would be {short(value)}, not a time with its offset such as 2026-07-01T08:00:00+02:00")
    return moment
