"""How many must approve, and whether enough have.

A stage asks for slots to be filled, each by one of some people; a person fills one slot in the whole request. So this
question, and that of `feasible`, whether enough still can, are one: can these people be matched to these slots?
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from approvals.core.approval.plan import Plan, StagePlan, by_id, in_order
from approvals.core.approval.state import Seat, State, Vote
from approvals.core.enums import Choice, Mode

Slot = frozenset[str]
"""Who may fill it."""


def seats_of(plan: Plan, stage: StagePlan) -> tuple[Seat, ...]:
    """The seats that a stage opens with."""
    return tuple(Seat(person=person, owner=person) for person in in_order(stage.people - plan.barred))


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
    """The first approval of what the open stage decides. After it the content may not be edited."""
    return next((vote for vote in said_here(state) if vote.choice is Choice.APPROVE), None)


def abstained(state: State) -> frozenset[str]:
    """Whose seats do not count in the open stage."""
    return frozenset(vote.owner for vote in said_here(state) if vote.choice is Choice.ABSTAIN)


def slots_of(stage: StagePlan, seats: Sequence[Seat], without: frozenset[str]) -> list[Slot]:
    """The slots of a stage. People added by an escalation may fill any of them. `without`: who abstained."""
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

    Kuhn's algorithm, breadth first: a slot takes a person who is free, or whose slot can have another.
    """
    free = set(people)
    able = [slot & free for slot in slots]
    slot_of: dict[str, int] = {}
    unfillable: set[Slot] = set()  # no later slot for the same people fares better
    for number, slot in enumerate(able):
        if slot not in unfillable and not _fill(number, able, free, slot_of):
            unfillable.add(slot)
    return slot_of


def _fill(number: int, able: Sequence[Slot], free: set[str], slot_of: dict[str, int]) -> bool:
    held_by: dict[int, str] = {}  # by slot, who would leave it
    wanted_by: dict[str, int] = {}  # by person, the slot that would have them
    todo = deque([number])
    while todo:
        slot = todo.popleft()
        if here := able[slot] & free:
            first = min(here, key=by_id)
            _move(first, slot, held_by, wanted_by, slot_of)
            free.discard(first)
            return True
        for person in in_order(able[slot] - wanted_by.keys()):
            wanted_by[person] = slot
            held_by[slot_of[person]] = person
            todo.append(slot_of[person])
    return False


def _move(person: str, slot: int, held_by: dict[int, str], wanted_by: dict[str, int], slot_of: dict[str, int]) -> None:
    """Each person on the path gives up their slot for the one before."""
    while True:
        slot_of[person] = slot
        if slot not in held_by:
            return
        person = held_by[slot]
        slot = wanted_by[person]
