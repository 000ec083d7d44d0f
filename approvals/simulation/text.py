"""One moment of a simulation in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from approvals.core.approval.events import (
    Cancelled,
    ClockReached,
    ContentChanged,
    Delegated,
    Opened,
    PeopleNamed,
    Revoked,
    Voted,
    Withdrawn,
)
from approvals.core.approval.outcome import Tell
from approvals.core.approval.plan import Plan, in_order
from approvals.core.enums import Authority, Status, Telling
from approvals.core.simulation.simulate import Moment

Names = Mapping[str, str]

AUTHORITY = {
    Authority.NOTIFY: "who is only told",
    Authority.ADD: "who may decide as well",
    Authority.TRANSFER: "who decides from now on",
}


def what(plan: Plan, one: Moment, names: Names) -> list[str]:
    """What happens in this moment, a sentence each, in order."""
    return [*_act(one, names), *_clock(plan, one, names), *_stage(plan, one, names), *_end(one)]


def told(one: Moment, names: Names) -> list[dict[str, Any]]:
    """Who is told, and why; without names where it is the requester or the administrators."""
    return [
        {"why": command.why.value, "people": [names.get(person, person) for person in command.people]}
        for command in one.commands
        if isinstance(command, Tell)
    ]


def listed(people: Iterable[str], names: Names) -> str:
    """The names of these people, or "nobody"."""
    return ", ".join(names.get(person, person) for person in people) or "nobody"


def _act(one: Moment, names: Names) -> list[str]:
    match one.event:
        case Opened(by_rule=rule):
            return ["it is asked for", *(["the policy's own rule holds"] if rule else [])]
        case Voted(person=person, choice=choice):
            return [f"{names.get(person, person)} says {choice}"]
        case Delegated(person=person, to=to):
            return [f"{names.get(to, to)} sits in for {names.get(person, person)}"]
        case PeopleNamed(people=people):
            return [f"{listed(in_order(people), names)} decide from now on"]
        case ContentChanged():
            return ["the content changes"]
        case Withdrawn() | Revoked():
            return ["it is taken back"]
        case Cancelled():
            return ["the waiting run no longer needs it"]
        case _:
            return []


def _clock(plan: Plan, one: Moment, names: Names) -> list[str]:
    before, after = one.before, one.after
    said = []
    if before.clock_from is None and after.clock_from is not None and after.opened_at == before.opened_at:
        said.append("its clocks begin, at the latest")
    if _reminders(one):
        said.append(f"{listed(_reminders(one), names)} are reminded")
    for _, place in after.escalated_since(before):
        level = plan.stages[after.stage].levels[place]
        people = in_order(level.people - plan.barred)
        said.append(f"it is escalated to {listed(people, names)}, {AUTHORITY[level.authority]}")
    return said


def _reminders(one: Moment) -> tuple[str, ...]:
    found = (tell.people for tell in one.commands if isinstance(tell, Tell) and tell.why is Telling.REMINDER)
    return next(found, ())


def _stage(plan: Plan, one: Moment, names: Names) -> list[str]:
    before, after = one.before, one.after
    silent = isinstance(one.event, ClockReached) and after.stage > before.stage
    passed = [f"stage '{plan.stages[before.stage].name}' passes by silence, as the policy says"] if silent else []
    same = (before.stage, before.round, before.opened_at) == (after.stage, after.round, after.opened_at)
    if same or after.status.is_end:
        return []
    asked = [tell.people for tell in one.commands if isinstance(tell, Tell) and tell.why is Telling.ASKED]
    people = asked[0] if asked else ()
    return [*passed, f"stage '{plan.stages[after.stage].name}' opens: {listed(people, names)} asked"]


def _end(one: Moment) -> list[str]:
    state = one.after
    if state.status is one.before.status:
        return []
    words = f": {state.last_words}" if state.last_words else ""
    match state.status:
        case Status.PENDING:
            return []
        case Status.CHANGES_REQUESTED:
            return ["the requester is asked for changes"]
        case Status.COOLING_OFF:
            return [f"it is approved, and can be objected to until {state.settles_at:%Y-%m-%d %H:%M:%S} UTC{words}"]
        case Status.RESCUE:
            return [f"an administrator must name others{words}"]
        case _:
            return [f"it ends {state.status}{words}"]
