"""How many must approve, and whether enough have.

A stage asks for slots to be filled, each by one of some people; a person fills one slot in the whole request. So this
question, and that of `feasible`, whether enough still can, are one: can these people be matched to these slots?
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from approvals.core.plan import Plan, StagePlan
from approvals.core.state import Seat, State, Vote
from approvals.core.words import Choice, Mode

Slot = frozenset[str]
"""Who may fill it."""


def seats_of(plan: Plan, stage: StagePlan) -> tuple[Seat, ...]:
    """The seats that a stage opens with."""
    return tuple(Seat(person=person, owner=person) for person in sorted(stage.people - plan.barred))


def passes(plan: Plan, state: State) -> bool:
    """Whether the approvals of the open stage fill its slots."""
    approvers = [vote.person for vote in said_here(state) if vote.choice is Choice.APPROVE]
    slots = slots_of(plan.stages[state.stage], state.seats, abstained(state))
    return bool(approvers) and len(slots) <= len(approvers) and is_matched(slots, approvers)


def missing(plan: Plan, state: State) -> int:
    """How many approvals the open stage still lacks."""
    approvers = [vote.person for vote in said_here(state) if vote.choice is Choice.APPROVE]
    slots = slots_of(plan.stages[state.stage], state.seats, abstained(state))
    return max(len(slots), 1) - len(matching(slots, approvers))


def is_matched(slots: Sequence[Slot], people: Iterable[str]) -> bool:
    """Whether every slot can have a person of its own."""
    return len(matching(slots, people)) == len(slots)


def said_here(state: State) -> list[Vote]:
    """The votes of the open stage, in this round."""
    return [vote for vote in state.spoken if vote.stage == state.stage]


def first_yes(state: State) -> Vote | None:
    """Who was the first to approve what the open stage decides about. From then on nobody may edit it."""
    return next((vote for vote in said_here(state) if vote.choice is Choice.APPROVE), None)


def abstained(state: State) -> frozenset[str]:
    """Whose seats do not count in the open stage."""
    return frozenset(vote.owner for vote in said_here(state) if vote.choice is Choice.ABSTAIN)


def slots_of(stage: StagePlan, seats: Sequence[Seat], without: frozenset[str]) -> list[Slot]:
    """What a stage asks for. Those whom an escalation added may stand in for anybody. `without`: who abstained."""
    sitting = frozenset(seat.person for seat in seats)
    own = [seat for seat in seats if seat.own]
    base = [seat for seat in own if seat.owner not in without]
    if not own:  # the stage was handed over: to whom it went decides
        return [sitting] if sitting else [frozenset()]
    match stage.mode:
        case Mode.ANY:
            return [sitting]
        case Mode.N:
            return [sitting] * stage.number
        case Mode.ALL:
            return [sitting] * max(len(base), 1)
        case Mode.PERCENT:
            return [sitting] * max(math.ceil(len(base) * stage.percent / 100), 1)
        case Mode.GROUPS:
            added = frozenset(seat.person for seat in seats if not seat.own)
            return [
                frozenset(seat.person for seat in own if seat.owner in stage.groups.get(group, frozenset())) | added
                for group, minimum in sorted(stage.minima.items())
                for _ in range(minimum)
            ]


def matching(slots: Sequence[Slot], people: Iterable[str]) -> dict[str, int]:
    """Who fills which slot, for as many slots as can be filled at once, the first ones before the last ones.

    Kuhn's algorithm: each slot looks for a person, who may move to another.
    """
    allowed = set(people)
    slot_of: dict[str, int] = {}

    def place(slot: int, seen: set[str]) -> bool:
        for person in sorted(slots[slot] & allowed - seen):
            seen.add(person)
            if person not in slot_of or place(slot_of[person], seen):
                slot_of[person] = slot
                return True
        return False

    for number in range(len(slots)):
        place(number, set())
    return slot_of
