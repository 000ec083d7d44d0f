"""Whether a policy can be passed at all: people approve as soon as they are asked, until it passes or cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from approvals.core.approval.events import Opened, Voted
from approvals.core.approval.feasibility import later_slots, open_slots
from approvals.core.approval.plan import Plan, by_id
from approvals.core.approval.quorum import Slot, matching
from approvals.core.enums import Choice
from approvals.core.simulation.simulate import Course, StandIn, Walk


def best_case(
    plan: Plan, opened: Opened, *, silent: frozenset[str] = frozenset(), stand_ins: Sequence[StandIn] = ()
) -> Course:
    """The soonest way to a yes, in an order that leaves the later stages their people. `silent`: who never answers."""
    walk = Walk(plan, stand_ins=stand_ins)
    walk.hear(opened)
    at: datetime | None = opened.at
    unheard: set[str] = set()
    while at is not None:
        person = _next(walk, at, silent, frozenset(unheard))
        if person is None:
            at = walk.tick()
            continue
        before = walk.state
        walk.hear(Voted(at=at, person=person, choice=Choice.APPROVE))
        if walk.state is before:
            unheard.add(person)
    return walk.course()


def _next(walk: Walk, at: datetime, silent: frozenset[str], unheard: frozenset[str]) -> str | None:
    """Who says yes next; None where those who are asked now cannot fill the open stage, or where waiting helps."""
    if not walk.state.status.can_be_decided:
        return None
    able, lacking = _able(walk, at, silent, unheard)
    if able is None or (lacking and _waiting_helps(walk, silent, unheard, lacking)):
        return None
    return min((person for person in able if not walk.state.has_spoken(person)), default=None, key=by_id)


def _able(
    walk: Walk, at: datetime, silent: frozenset[str], unheard: frozenset[str]
) -> tuple[frozenset[str] | None, int]:
    """Who fills the open stage, None where they are too few; and how many are lacking in the whole chain then."""
    deputies = {owner: _deputy(walk, owner, at) for owner in silent}

    def there(slot: Slot) -> Slot:
        return frozenset(deputies.get(person, person) for person in slot) - {""} - unheard

    here = [there(slot) for slot in open_slots(walk.plan, walk.state)]
    filled, lacking = dict[str, int](), -1
    for later in later_slots(walk.plan, walk.state):
        slots = [*here, *(there(slot) for slot in later)]
        found = matching(slots, frozenset().union(*slots))
        if lacking < 0 or len(slots) - len(found) < lacking:
            filled, lacking = found, len(slots) - len(found)
        if not lacking:
            break
    able = frozenset(person for person, slot in filled.items() if slot < len(here))
    return (able if len(able) == len(here) else None), lacking


def _waiting_helps(walk: Walk, silent: frozenset[str], unheard: frozenset[str], lacking: int) -> bool:
    """Whether an escalation of the open stage brings people, so that others are left to the later stages."""
    later = Walk(walk.plan, state=walk.state, stand_ins=walk.stand_ins)
    while (at := later.tick()) is not None:
        if later.state.stage != walk.state.stage or not later.state.status.can_be_decided:
            return False
        able, then = _able(later, at, silent, unheard)
        if able is not None and then < lacking:
            return True
    return False


def _deputy(walk: Walk, owner: str, at: datetime) -> str:
    """Who decides for a person who is away; '' where there is none."""
    taken = walk.plan.barred | {vote.person for vote in walk.state.spoken}
    return next((one.to for one in walk.stand_ins if one.owner == owner and one.counts(at) and one.to not in taken), "")
