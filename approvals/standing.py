"""Who still is whom a policy means: people leave groups, lose roles and close accounts while a request is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from approvals import folding, people
from approvals.core.events import PeopleLeft
from approvals.core.plan import Plan
from approvals.core.policy import Stage, Who
from approvals.core.state import Seat, State
from approvals.core.words import Mode
from approvals.folding import Held
from approvals.models import Request
from approvals.selectors import open_stage
from notifications.addresses import mailbox


def let_go(held: Held, at: datetime, *, by: str = "") -> bool:
    """Take off who has left: whether anybody had."""
    left = (
        frozenset() if held.state.status.is_end else who_left(held.request, held.plan, held.state, known=held.accounts)
    )
    return bool(left) and folding.fold(held, PeopleLeft(at=at, people=left), by=by)


def who_left(request: Request, plan: Plan, state: State, *, known: dict[int, Any] | None = None) -> frozenset[str]:
    """Of those who have not decided yet. A seat that was handed on falls with either of the two: with the one who sits
    there it goes back, with its owner it is gone. `known`: accounts that were read in this transaction already.
    """
    waiting = [seat for seat in state.seats if not state.has_spoken(seat.person)]
    accounts = accounts_of(request, waiting, {} if known is None else known)
    able = {person for person, account in accounts.items() if account is not None and people.may_decide(account)}
    stage = open_stage(request, state)
    left: set[str] = set()
    for seat in waiting:
        owner = accounts.get(seat.owner)
        if seat.owner in accounts and not (seat.owner in able and _is_meant(request, plan, state, stage, seat, owner)):
            left |= {seat.person, seat.owner}
        elif seat.person in accounts and seat.person not in able:
            left.add(seat.person)
    return frozenset(left)


def accounts_of(request: Request, seats: Iterable[Seat], known: dict[int, Any]) -> Mapping[str, Any]:
    """By person id, None for one that was deleted; `known` gets those that it lacks. Somebody who is known by an
    address alone has no entry.
    """
    ids = {
        person: request.people.get(person, {}).get("user_id") for seat in seats for person in (seat.person, seat.owner)
    }
    learn((pk for pk in ids.values() if pk is not None), known)
    return {person: known.get(pk) for person, pk in ids.items() if pk is not None}


def boxes_of(held: Held, person: str, email: str = "") -> set[str]:
    """The mailboxes of somebody who takes part or is barred: as they were then, and as their account has it now."""
    account = held.accounts.get(people.user_id_of(person) or 0)
    known = held.request.people.get(person, {}).get("email", "")
    address = person.removeprefix("email:") if person.startswith("email:") else ""
    return {mailbox(one) for one in (email, known, address, getattr(account, "email", "")) if one}


def learn(user_ids: Iterable[int], known: dict[int, Any]) -> None:
    """Read the accounts that are not known yet, all at once."""
    missing = set(user_ids) - known.keys()
    if missing:
        known |= people.accounts().in_bulk(list(missing))


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
        or mailbox(account.email) in map(mailbox, who.emails)
        or _groups(account) & set(who.groups)
    )


def _groups(account: Any) -> set[str]:
    return {group.name for group in account.groups.all()}


def _named_by_an_administrator(request: Request) -> set[str]:
    last = request.run.events.filter(kind="approval.event.people_named").last()
    return set(str(last.data["people"]).split(", ")) if last else set()
