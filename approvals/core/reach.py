"""How far into the future the clocks of a policy can reach, so that the holidays of those years are known."""

from __future__ import annotations

import math
from datetime import timedelta

from approvals.core.hours import LONGEST_DAYS, Hours, Span
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.spans import span_of

LEAST_YEARS = 3
"""Also of short chains: a request may be asked anew, or held, and its clocks begin then."""
_YEAR = timedelta(days=365)


def years_of(policy: PolicyDefinition) -> int:
    """How many years, with that of the opening, its stages can take one after the other. At most 20 times 10, and 1."""
    hours = policy.hours.hours()
    days = sum(_days(stage, hours) for stage in policy.stages)
    return max(LEAST_YEARS, 1 + math.ceil(days / _YEAR.days))


def _days(stage: Stage, hours: Hours) -> float:
    return max((_length(span_of(text, hours), hours) for text in stage.spans()), default=0.0)


def _length(span: Span, hours: Hours) -> float:
    """In days of the calendar. Working time twice as long as without holidays: no country is off on half its days."""
    if not span.business:
        return span.seconds / 86_400
    weeks = span.seconds / (len(hours.days) * hours.day_seconds)
    return min(2 * 7 * weeks + 7, LONGEST_DAYS)
