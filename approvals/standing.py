"""Who still is whom a policy means: people leave groups, lose roles and close accounts while a request is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from approvals import folding, people
from approvals.core.events import PeopleLeft
from approvals.core.plan import Plan
from approvals.core.policy import Stage, Who
from approvals.core.state import Seat, State
from approvals.core.words import Mode
from approvals.folding import Held
from approvals.models import Request
from approvals.selectors import open_stage


def let_go(held: Held, at: datetime, *, by: str = "") -> bool:
    """Take off who has left: whether anybody had."""
    left = frozenset() if held.state.status.is_end else who_left(held.request, held.plan, held.state)
    return bool(left) and folding.fold(held, PeopleLeft(at=at, people=left), by=by)


def who_left(request: Request, plan: Plan, state: State) -> frozenset[str]:
    """Of those who have not decided yet. A seat that was handed on falls with either of the two: with the one who sits
    there it goes back, with its owner it is gone.
    """
    waiting = [seat for seat in state.seats if not state.has_spoken(seat.person)]
    accounts = _accounts(request, waiting)
    able = people.who_may_decide(account.pk for account in accounts.values())
    stage = open_stage(request, state)
    left: set[str] = set()
    for seat in waiting:
        account = accounts.get(seat.owner)
        if account is not None and not (account.pk in able and _is_meant(request, plan, state, stage, seat, account)):
            left |= {seat.person, seat.owner}
        elif seat.person in accounts and accounts[seat.person].pk not in able:
            left.add(seat.person)
    return frozenset(left)


def _accounts(request: Request, seats: list[Seat]) -> Mapping[str, Any]:
    """By person id. Somebody who is known by an address alone has none."""
    ids = {
        person: request.people.get(person, {}).get("user_id") for seat in seats for person in (seat.person, seat.owner)
    }
    wanted = [pk for pk in ids.values() if pk is not None]
    found = get_user_model().objects.filter(pk__in=wanted).prefetch_related("groups").in_bulk()
    return {person: found[pk] for person, pk in ids.items() if pk in found}


def _is_meant(request: Request, plan: Plan, state: State, stage: Stage, seat: Seat, account: Any) -> bool:
    """As a member of its groups, where that was the reason; or by name."""
    chain = plan.stages[state.stage]
    if not seat.own:
        asked = any(seat.owner in level.people for level in chain.levels)
        return (
            not asked
            or any(_names(level.to, account) or level.to.on_call for level in stage.escalate)
            or seat.owner in _named_by_an_administrator(request)
        )
    counted = {name for name, members in chain.groups.items() if seat.owner in members}
    if chain.mode is Mode.GROUPS:  # each of their groups counts on them
        return counted & chain.minima.keys() <= _groups(account)
    return not counted or _names(stage.who, account)


def _names(who: Who, account: Any) -> bool:
    return bool(
        account.get_username() in who.users
        or account.email.lower() in {address.lower() for address in who.emails}
        or _groups(account) & set(who.groups)
    )


def _groups(account: Any) -> set[str]:
    return {group.name for group in account.groups.all()}


def _named_by_an_administrator(request: Request) -> set[str]:
    last = request.run.events.filter(kind="approval.event.people_named").last()
    return set(str(last.data["people"]).split(", ")) if last else set()
