"""Whether the people of a request are still those that its policy means.

They leave groups, lose roles and close accounts while it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group

from approvals.core.approval.events import PeopleBack, PeopleLeft
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import Seat, State
from approvals.core.enums import Mode
from approvals.core.policy.definition import Stage, Who
from approvals.models import Request
from approvals.policies import principals
from approvals.queries.requests import open_stage
from approvals.requests.state.locked_request import LockedRequest
from foundation.identity.names import mailbox


def remove_ineligible(locked: LockedRequest, at: datetime, *, by: str = "") -> bool:
    """Take the seats of people who left; whether there were any. A deleted account is not waited for."""
    if locked.state.status.is_end:
        return False
    left = no_longer_eligible(locked.request, locked.plan, locked.state, known=locked.accounts)
    may_return = any(locked.accounts.get(principals.user_id_of(person) or 0) for person in left)
    grace = float(settings.ZEN_RESCUE_GRACE_SECONDS) if may_return else 0.0
    return bool(left) and locked.apply(PeopleLeft(at=at, people=left, grace_seconds=grace), by=by)


def restore_eligible(locked: LockedRequest, at: datetime) -> bool:
    """Give seats back to people whom the policy means again; whether there were any."""
    if locked.state.status.is_end or not locked.state.left:
        return False
    back = eligible_again(locked.request, locked.plan, locked.state, known=locked.accounts)
    return bool(back) and locked.apply(PeopleBack(at=at, people=back))


def eligible_again(
    request: Request, plan: Plan, state: State, *, known: dict[int, Any] | None = None
) -> frozenset[str]:
    """Person ids of those who left within the open stage and are back. No query where nobody left."""
    if not state.left:
        return frozenset()
    accounts = accounts_of(request, state.left, {} if known is None else known)
    stage = open_stage(request, state)
    heard = _heard_already(request, state, state.left)
    return frozenset(
        seat.owner
        for seat in state.left
        if seat.owner not in heard
        and (account := accounts.get(seat.owner)) is not None
        and principals.may_decide(account)
        and _is_meant(request, plan, state, stage, seat, account)
    )


def no_longer_eligible(
    request: Request, plan: Plan, state: State, *, known: dict[int, Any] | None = None
) -> frozenset[str]:
    """Person ids of those who have not decided yet and left.

    A seat that was reassigned falls with either of the two: if the one who has it leaves it goes back, if its owner
    leaves it is gone. `known`: accounts that were read in this transaction already.
    """
    waiting = [seat for seat in state.seats if not state.has_spoken(seat.person)]
    accounts = accounts_of(request, waiting, {} if known is None else known)
    able = {person for person, account in accounts.items() if account is not None and principals.may_decide(account)}
    stage = open_stage(request, state)
    left: set[str] = set()
    for seat in waiting:
        owner = accounts.get(seat.owner)
        if seat.owner in accounts and not (seat.owner in able and _is_meant(request, plan, state, stage, seat, owner)):
            left |= {seat.person, seat.owner}
        elif seat.person in accounts and seat.person not in able:
            left.add(seat.person)
    return frozenset(left) | _heard_already(request, state, waiting)


def _heard_already(request: Request, state: State, seats: Iterable[Seat]) -> frozenset[str]:
    """Those whose mailbox has spoken in the round, by another of its accounts."""
    voices = {box: vote.person for vote in state.spoken if (box := _box(request, vote.person))}
    return frozenset(
        seat.person for seat in seats if voices and voices.get(_box(request, seat.person), seat.person) != seat.person
    )


def _box(request: Request, person: str) -> str:
    """The mailbox that they had when they were asked."""
    address = request.people.get(person, {}).get("email", "")
    return mailbox(address) if address else ""


def accounts_of(request: Request, seats: Iterable[Seat], known: dict[int, Any]) -> Mapping[str, Any]:
    """{person id: account, None for a deleted one}; `known` gets those that it lacks.

    People without an account are left out.
    """
    ids = {
        person: request.people.get(person, {}).get("user_id") for seat in seats for person in (seat.person, seat.owner)
    }
    learn((pk for pk in ids.values() if pk is not None), known)
    return {person: known.get(pk) for person, pk in ids.items() if pk is not None}


def boxes_of(locked: LockedRequest, person: str, email: str = "") -> set[str]:
    """A person's mailboxes: as they were when asked, and as the account has it now."""
    account = locked.accounts.get(principals.user_id_of(person) or 0)
    known = locked.request.people.get(person, {}).get("email", "")
    address = person.removeprefix("email:") if person.startswith("email:") else ""
    return {mailbox(one) for one in (email, known, address, getattr(account, "email", "")) if one}


def learn(user_ids: Iterable[int], known: dict[int, Any]) -> None:
    """Read the accounts that are not known yet, all at once."""
    missing = set(user_ids) - known.keys()
    if missing:
        known |= principals.accounts().in_bulk(list(missing))


def _is_meant(request: Request, plan: Plan, state: State, stage: Stage, seat: Seat, account: Any) -> bool:
    """As a member of its groups, where that was the reason; or by name."""
    chain = plan.stages[state.stage]
    if not seat.own:
        asked = any(seat.owner in level.people for level in chain.levels)
        return (
            not asked
            or any(_names(request, level.to, account) or level.to.on_call for level in stage.escalate)
            or seat.owner in _named_by_an_administrator(request)
        )
    counted = {name for name, members in chain.groups.items() if seat.owner in members}
    if chain.mode is Mode.GROUPS:  # each of their groups counts on them
        return counted & chain.minima.keys() <= _groups(request, account)
    return not counted or _names(request, stage.who, account)


def _names(request: Request, who: Who, account: Any) -> bool:
    me = principals.person_id(account.pk)
    directly = [*(f"user:{name}" for name in who.users), *(f"email:{address}" for address in who.emails)]
    if any(me in request.named.get(name, ()) for name in directly):
        return True
    if not request.named:  # asked before it was kept whom each name meant
        by_name = account.get_username() in who.users
        if by_name or mailbox(account.email) in map(mailbox, who.emails):
            return True
    return bool(_groups(request, account) & set(who.groups))


def _groups(request: Request, account: Any) -> set[str]:
    """The policy's groups that the account is in, by the names that they had then: a renamed one is the same one.

    One that was deleted, and made anew by its name, is taken for the same, too.
    """
    there = {group.pk: group.name for group in account.groups.all()}
    found = {name for name, pk in request.groups.items() if pk in there}
    anew = {name for name in there.values() if name not in found and request.groups.get(name) not in there}
    known = {name: request.groups[name] for name in anew if name in request.groups}
    still = set(Group.objects.filter(pk__in=known.values()).values_list("pk", flat=True)) if known else set()
    return found | {name for name in anew if known.get(name) not in still}


def _named_by_an_administrator(request: Request) -> set[str]:
    last = request.run.events.filter(kind="approval.event.people_named").last()
    return set(str(last.data["people"]).split(", ")) if last else set()
