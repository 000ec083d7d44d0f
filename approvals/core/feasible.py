"""What a chain cannot do from its very beginning, whoever says yes and however far it escalates.

A request for it would go to an administrator at once, or would wait for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from approvals.core.plan import Plan, StagePlan
from approvals.core.quorum import Slot, is_matched, matching, seats_of, slots_of
from approvals.core.state import Seat
from approvals.core.words import Authority


def short_of(plan: Plan, stage: StagePlan) -> tuple[int, int] | None:
    """How many approvals the stage needs and how many it can have at most, where those are too few whatever is done."""
    found = list(ways(plan, stage))
    if any(_fills(slots) for slots in found):
        return None
    own = found[0]
    return len(own), len(matching(own, frozenset().union(*own)))


def too_few_for_all(plan: Plan) -> bool:
    """Whether the stages, each of which could pass, need more people together: a person decides once in a request.

    Never true of a chain that can pass. A stage that may be handed over counts with the least that it can need.
    """
    slots: list[Slot] = []
    for stage in plan.stages:
        found = list(ways(plan, stage))
        slots += found[0] if len(found) == 1 else [frozenset().union(*(slot for way in found for slot in way))]
    return not _fills(slots)


def _fills(slots: list[Slot]) -> bool:
    return is_matched(slots, frozenset().union(*slots))


def ways(plan: Plan, stage: StagePlan) -> Iterator[list[Slot]]:
    """Its slots as its own people and those added to them can fill them; then as those to whom it is handed over can.

    Whoever is added takes no place away, so that of all the levels up to a transfer the last one has the most people.
    """
    seats = seats_of(plan, stage)
    for level in stage.levels:
        people = level.people - plan.barred
        if level.authority is Authority.TRANSFER and people:
            yield slots_of(stage, seats, frozenset())
            seats = ()
        if level.authority in (Authority.ADD, Authority.TRANSFER):
            sitting = {seat.person for seat in seats}
            new = (Seat(person=one, owner=one, own=False) for one in sorted(people - sitting))
            seats = (*seats, *new)
    yield slots_of(stage, seats, frozenset())
