"""What a decision of the flow leads to: the commands it wants done, and the entries of the request's event log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import JsonValue

from approvals.core.approval.events import Event, Voted
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.enums import Status, Telling
from orchestration.core.saga.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell these people. Empty `people`: those that the caller finds for it (the requester, the administrators).

    `together`: in one message with the other requests for which the same happens at about this time.
    """

    why: Telling
    people: tuple[str, ...] = ()
    together: bool = False
    kind: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The request is over; the run that waits for it is told."""

    status: Status
    kind: Literal["finish"] = "finish"


Command = Tell | Finish


def facts_of(plan: Plan, before: State, event: Event, after: State) -> tuple[Fact, ...]:
    """The event itself first, then what changed with it. Reasons and comments are in the rows, not here."""
    if after is before:
        return ()
    facts = [_own(event)]

    def add(kind: str, **data: JsonValue) -> None:
        facts.append(Fact(at=event.at, kind=kind, data=data))

    for number, _ in after.escalated_since(before):
        add("approval.escalated", level=number)
    if after.reminded > before.reminded:
        add("approval.reminded", number=after.reminded)
    for number in after.silent[len(before.silent) :]:
        told: list[JsonValue] = [
            {"person": one.person, "at": one.at.isoformat()} for one in after.heard if one.stage == number
        ]
        add("approval.passed_by_silence", stage=plan.stages[number].name, told=told)
    opened = (after.stage, after.round, after.opened_at) != (before.stage, before.round, before.opened_at)
    if opened and not after.status.is_end:
        add("approval.stage_opened", stage=plan.stages[after.stage].name, round=after.round)
    if after.status is not before.status:
        add(f"approval.{after.status}", **({"why": after.last_words} if after.last_words else {}))
    return tuple(facts)


def _own(event: Event) -> Fact:
    data: dict[str, JsonValue] = {
        name: _plain(value) for name, value in asdict(event).items() if name not in ("at", "kind") and value
    }
    kind = f"vote.{event.choice}" if isinstance(event, Voted) else f"approval.event.{event.kind}"
    return Fact(at=event.at, kind=kind, data=data)


def _plain(value: object) -> JsonValue:
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
