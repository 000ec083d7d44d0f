"""Can it pass at all? The flow is led on by people who say yes as soon as they are asked; if they reach it, it can."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from approvals.core.events import Opened, Voted
from approvals.core.plan import Plan
from approvals.core.quorum import Slot, matching, open_slots
from approvals.core.simulate import Course, StandIn, Walk
from approvals.core.words import Choice


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


def unmanned(plan: Plan) -> tuple[str, ...]:
    """The stages that nobody can decide, at whatever level; a request with one of them is refused when it is asked."""
    return tuple(
        stage.name
        for stage in plan.stages
        if not (stage.people | frozenset().union(*(level.people for level in stage.levels))) - plan.barred
    )


def _next(walk: Walk, at: datetime, silent: frozenset[str], unheard: frozenset[str]) -> str | None:
    """Who says yes next; None where those who are asked now cannot fill the open stage."""
    if not walk.state.status.can_be_decided:
        return None
    deputies = {owner: _deputy(walk, owner, at) for owner in silent}

    def there(slot: Slot) -> Slot:
        return frozenset(deputies.get(person, person) for person in slot) - {""} - unheard

    here, later = ([there(slot) for slot in slots] for slots in open_slots(walk.plan, walk.state))
    slots = [*here, *later]
    filled = matching(slots, frozenset().union(*slots))
    able = {person for person, slot in filled.items() if slot < len(here)}
    if len(able) < len(here):
        return None
    return min((person for person in able if not walk.state.has_spoken(person)), default=None)


def _deputy(walk: Walk, owner: str, at: datetime) -> str:
    """Who decides for somebody who is away; '' for nobody."""
    taken = walk.plan.barred | {vote.person for vote in walk.state.spoken}
    return next((one.to for one in walk.stand_ins if one.owner == owner and one.counts(at) and one.to not in taken), "")
