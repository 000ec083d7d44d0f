"""The inbox: requests that wait for this account, the most urgent first, and beside it all others that are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from approvals.core.enums import OPEN, Choice, Status
from approvals.models import Delegation, Policy, Request, Seat
from approvals.queries import requests
from approvals.queries.inbox import asked_by, delegations_to, inbox_of, my_turn, waiting_number
from foundation.clock import now
from foundation.identity import permissions
from foundation.identity.authentication import actor_of

ON_A_PAGE = 25
MOST_OPTIONS = 100
MOST_NAMES = 4
LARGE = ("content", "earlier", "state", "plan", "facts", "edits")
"""Columns that a list does not need; one of them may hold megabytes."""

FILTERS = {"stage": "stage", "policy": "policy__name", "about": "about"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    title: str
    empty: str
    find: Callable[[Any], QuerySet[Request]]


def _by_urgency(found: QuerySet[Request]) -> QuerySet[Request]:
    return found.order_by(F("expires_at").asc(nulls_last=True), "id")


def _of(*statuses: Status) -> QuerySet[Request]:
    return requests.requests(statuses=statuses)


TABS: dict[str, Tab] = {
    "mine": Tab(
        title="For me",
        empty="Nothing waits for your decision. What you have asked for is under Asked by me.",
        find=lambda user: inbox_of(user),
    ),
    "asked": Tab(
        title="Asked by me",
        empty="You have no open requests.",
        find=lambda user: asked_by(user),
    ),
    "open": Tab(
        title="All open",
        empty="There are no open requests.",
        find=lambda user: _by_urgency(_of(*OPEN)),
    ),
    "rescue": Tab(
        title="Needs an administrator",
        empty="No request needs an administrator. Here are those that too few can decide or whose time is up.",
        find=lambda user: _by_urgency(_of(Status.RESCUE)),
    ),
    "decided": Tab(
        title="Decided",
        empty="Nothing has been decided yet.",
        find=lambda user: requests.requests().filter(decided_at__isnull=False).order_by("-decided_at", "-id"),
    ),
    "undelivered": Tab(
        title="Decided, undelivered",
        empty="All decisions are delivered. Decisions appear here while their engine is unavailable.",
        find=lambda user: requests.undelivered().select_related("policy", "run").order_by("-decided_at", "-id"),
    ),
}


def inbox_context(request: HttpRequest) -> dict[str, Any]:
    name = request.GET.get("tab", "mine")
    name = name if name in TABS else "mine"
    given = {key: _clean(request, key) for key in ("q", *FILTERS)}
    found = _narrowed(TABS[name].find(request.user), given)
    page = Paginator(found.defer(*LARGE), ON_A_PAGE).get_page(request.GET.get("page"))
    may_decide = permissions.may(actor_of(request.user, door="admin"), "approval.decide")
    kept = {key: value for key, value in given.items() if value}
    return {
        "tab": name,
        "tabs": [(key, tab.title, _number(request, key)) for key, tab in TABS.items()],
        "empty": TABS[name].empty,
        "given": given,
        "narrowed": bool(kept),
        "kept": urlencode({"tab": name, **kept}),
        "list": page,
        "rows": _rows(page, request.user),
        "stages": _options(Request.objects.order_by("stage").values_list("stage", flat=True)),
        "policies": _options(Policy.objects.order_by("name").values_list("name", flat=True)),
        "bulk": name == "mine" and may_decide,
        "may_decide": may_decide,
        "choices": list(Choice),
    }


def next_for(user: Any, *, after: int = 0) -> Request | None:
    """The most urgent that waits for this account, but the one it has just seen."""
    found: Request | None = inbox_of(user).exclude(pk=after).defer(*LARGE).first()
    return found


def _clean(request: HttpRequest, key: str) -> str:
    return request.GET.get(key, "").replace("\0", "").strip()[:200]


def _narrowed(found: QuerySet[Request], given: dict[str, str]) -> QuerySet[Request]:
    words = given["q"]
    if words:
        named = Q(title__icontains=words) | Q(request_id__icontains=words) | Q(about__icontains=words)
        found = found.filter(named | Q(requester__icontains=words) | Q(stage__icontains=words))
    exact = {FILTERS[key]: given[key] for key in FILTERS if given[key]}
    return found.filter(**exact) if exact else found


def _number(request: HttpRequest, tab: str) -> str:
    """Shown only where this account has to act."""
    if tab == "mine":
        return waiting_number(request.user)
    number = 0
    if tab == "rescue":
        number = Request.objects.filter(status=Status.RESCUE)[:100].count()
    elif tab == "asked":
        number = my_turn(request.user).order_by()[:100].count()
    return str(number) if number else ""


def _options(values: Any) -> list[str]:
    return list(values.distinct()[:MOST_OPTIONS])


def _rows(page: Page[Request], user: Any) -> list[dict[str, Any]]:
    """Each with who else is asked, and for whom this account would decide, if not for itself."""
    rows = list(page)
    rules = list(delegations_to(user, now()).order_by("pk"))
    seats: dict[int, list[Seat]] = {}
    for seat in Seat.objects.filter(request__in=[row.pk for row in rows], waits=True).order_by("pk"):
        seats.setdefault(seat.request_id, []).append(seat)
    return [_row(row, seats.get(row.pk, []), user, rules) for row in rows]


def _row(row: Request, seats: list[Seat], user: Any, rules: list[Delegation]) -> dict[str, Any]:
    own = [seat for seat in seats if seat.user_id == user.pk]
    held = [seat.owner for seat in own if seat.owner != seat.person]
    if not own:
        counting = [rule for rule in rules if rule.covers(row.policy.name)]
        held = [seat.person for rule in counting for seat in seats if seat.user_id == rule.owner_id]
    others = [seat.person for seat in seats if seat not in own]
    return {"request": row, "others": _others(row, others), "for_whom": _others(row, held[:1])}


def _others(row: Request, people: list[str]) -> str:
    names = [requests.name_in(row, person) for person in dict.fromkeys(people)]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
