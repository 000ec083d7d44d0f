"""Whether enough people can still say yes: at the very beginning, and as things are now.

A stage that is not open yet counts with all that its escalations can bring: they are asked at once when it opens and
too few are there. The open one counts with those who sit in it now.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from approvals.core.approval.plan import Plan, StagePlan, in_order
from approvals.core.approval.quorum import Slot, abstained, is_matched, matching, said_here, seats_of, slots_of
from approvals.core.approval.state import Seat, State
from approvals.core.enums import Authority, Choice

MOST_WAYS = 512
"""Many stages that may each be handed over can go on in more ways than is worth looking at one by one."""


def can_pass(plan: Plan, state: State) -> bool:
    """Whether the open stage and all later ones can still pass, one slot for each person."""
    here = open_slots(plan, state)
    return bool(here) and any(_fills([*here, *later]) for later in later_slots(plan, state))


def open_slots(plan: Plan, state: State) -> list[Slot]:
    """The slots of the open stage, each with who has filled it or still can."""
    approvers = {vote.person for vote in said_here(state) if vote.choice is Choice.APPROVE}
    open_to = approvers | set(state.awaited)
    return [slot & open_to for slot in slots_of(plan.stages[state.stage], state.seats, abstained(state))]


def later_slots(plan: Plan, state: State) -> Iterator[list[Slot]]:
    """What all later stages ask for: of their own people, and then in every way that escalations can make it."""
    used = {vote.person for vote in state.spoken}
    stages = plan.stages[state.stage + 1 :]
    own = [slot for stage in stages for slot in slots_of(stage, seats_of(plan, stage), frozenset())]
    for slots in (own, *_ways_of_all(plan, stages)):
        yield [slot - used for slot in slots]


def short_of(plan: Plan, stage: StagePlan) -> tuple[int, int] | None:
    """How many approvals the stage needs and how many it can have at most, where those are too few whatever is done."""
    found = list(ways(plan, stage))
    if any(_fills(slots) for slots in found):
        return None
    own = found[0]
    return len(own), len(matching(own, frozenset().union(*own)))


def too_few_for_all(plan: Plan) -> bool:
    """Whether the stages, each of which could pass, need more people together: a person decides once in a request."""
    return not any(_fills(slots) for slots in _ways_of_all(plan, plan.stages))


def _fills(slots: Sequence[Slot]) -> bool:
    return is_matched(slots, frozenset().union(*slots))


def _ways_of_all(plan: Plan, stages: Sequence[StagePlan]) -> Iterator[list[Slot]]:
    found = [list(ways(plan, stage)) for stage in stages]
    if math.prod(map(len, found)) > MOST_WAYS:  # the least that each can need: never says no where one way would do
        found = [each if len(each) == 1 else [[frozenset().union(*(s for way in each for s in way))]] for each in found]
    for chosen in product(*found):
        yield [slot for slots in chosen for slot in slots]


def ways(plan: Plan, stage: StagePlan) -> Iterator[list[Slot]]:
    """The slots of a stage as its own people and those added to them can fill them; then as those can who take it over.

    Added people take no place away, so that of all the levels up to a transfer the last one has the most people. Levels
    in working time and in wall time may come in any order: then each counts with all people.
    """
    seats = seats_of(plan, stage)
    if len({level.after.business for level in stage.levels}) > 1:
        deciding = [level for level in stage.levels if level.authority is not Authority.NOTIFY]
        brought = frozenset().union(*(level.people for level in deciding)) - plan.barred
        others = tuple(Seat(person=one, owner=one, own=False) for one in in_order(brought - stage.people))
        yield slots_of(stage, (*seats, *others), frozenset())
        if any(level.authority is Authority.TRANSFER and level.people - plan.barred for level in stage.levels):
            everybody = (Seat(person=one, owner=one, own=False) for one in in_order(brought))
            yield slots_of(stage, tuple(everybody), frozenset())
        return
    for level in stage.levels:
        people = level.people - plan.barred
        if level.authority is Authority.TRANSFER and people:
            yield slots_of(stage, seats, frozenset())
            seats = ()
        if level.authority in (Authority.ADD, Authority.TRANSFER):
            sitting = {seat.person for seat in seats}
            new = (Seat(person=one, owner=one, own=False) for one in in_order(people - sitting))
            seats = (*seats, *new)
    yield slots_of(stage, seats, frozenset())
