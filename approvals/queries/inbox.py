"""What waits for an account: to be decided, or as the one who asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from approvals.core.enums import OPEN, Status
from approvals.models import Delegation, Remark, Request, Seat, Vote
from approvals.policies.delegation_rules import in_force, without_own
from approvals.policies.principals import person_of
from approvals.queries.requests import requests
from foundation.clock import now


def inbox_of(user: Any, *, at: datetime | None = None) -> QuerySet[Request]:
    """Requests that wait for this account, most urgent first.

    In its own seats, and in those of people it stands in for.
    """
    spoken = Vote.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), person=person_of(user).id)
    undecided = Request.objects.select_related("policy", "run").filter(
        ~Exists(spoken), status__in=(Status.PENDING, Status.RESCUE)
    )
    rules = list(delegations_to(user, at or now()))
    if not rules:  # a person waits in one seat of a request: a page is read along the index of the seats
        own = undecided.filter(seats__user=user, seats__waits=True)
        return own.order_by(F("seats__expires_at").asc(nulls_last=True), "seats__request_id")
    mine = Q(user=user)
    for rule in rules:
        theirs = Q(user=rule.owner_id)
        mine |= theirs & Q(request__policy__name__in=rule.policies) if rule.policies else theirs
    seats = Seat.objects.filter(mine, waits=True)
    return (
        without_own(undecided, user)
        .filter(pk__in=seats.values("request"))
        .order_by(F("expires_at").asc(nulls_last=True), "id")
    )


def my_turn(user: Any) -> QuerySet[Any]:
    """Open requests that this account asked, and that wait for its own answer or changes."""
    found: QuerySet[Any] = asked_by(user)
    return found.exclude(my_turn="")


def asked_by(user: Any) -> QuerySet[Request]:
    """Open requests that this account asked.

    First those that wait for the account itself, as `my_turn` says in words.
    """
    questions = Remark.objects.filter(request=OuterRef("pk"), kind="question")
    answered = Remark.objects.filter(request=OuterRef("request"), kind="answer", pk__gt=OuterRef("pk"))
    mine = requests(statuses=OPEN).filter(requester_person=person_of(user).id)
    turn = Case(
        When(status=Status.CHANGES_REQUESTED, then=Value("changes were asked for")),
        When(Exists(questions.filter(~Exists(answered))), then=Value("a question waits for your answer")),
        default=Value(""),
    )
    return mine.annotate(my_turn=turn).order_by("-my_turn", F("expires_at").asc(nulls_last=True), "id")


def delegations_to(user: Any, at: datetime) -> QuerySet[Delegation]:
    """The delegations to this account that count at that moment."""
    return in_force(at).filter(to=user)


MOST = 99


def waiting_number(user: Any) -> str:
    """The number as text: '' for none, at most "99+"."""
    found = inbox_of(user).order_by().values("pk")[: MOST + 1].count()
    return "" if not found else str(found) if found <= MOST else f"{MOST}+"
