"""`--votes WHO=CHOICE@WHEN`: what people say in a simulation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from approvals.console.inputs import moment, somebody
from approvals.core.hours import Hours, due
from approvals.core.spans import span_of
from approvals.core.words import Choice
from approvals.simulator import Say
from orchestration.errors import BadInput

EXAMPLE = "such as bob=approve, bob=approve@2h or bob=reject@2026-11-25T09:30:00Z"


def says_of(given: Iterable[str] | None, *, start: datetime, hours: Hours) -> list[Say]:
    """Each option may hold several, with commas between. WHEN is a length of time after the start, or a time."""
    return [_say(part.strip(), start, hours) for option in given or () for part in option.split(",") if part.strip()]


def _say(part: str, start: datetime, hours: Hours) -> Say:
    who, equals, rest = part.partition("=")
    word, _, when = rest.partition("@")
    if not equals or word not in tuple(Choice):
        remedy = f"{EXAMPLE}; a decision is one of {', '.join(Choice)}"
        raise BadInput(f"--votes {part!r} is not WHO=CHOICE@WHEN", field="votes", remedy=remedy)
    at = _when(when, start, hours) if when else start
    if at < start:
        raise BadInput(
            f"--votes {part!r} is before the request is asked for", field="votes", remedy="give a later time"
        )
    return Say(person=somebody(who, "votes"), choice=Choice(word), at=at)


def _when(text: str, start: datetime, hours: Hours) -> datetime:
    try:
        return due(start, span_of(text, hours), hours).astimezone(UTC)
    except ValueError:
        return moment(text, "votes")
