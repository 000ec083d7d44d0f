"""Finds requests and runs that do not fit together any more. Reads only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from approvals.core.approval.flow import TOO_FEW
from approvals.core.enums import OPEN, Status
from approvals.models import Request, Seat
from approvals.policies import principals
from foundation.clock import now
from orchestration.core.enums import END_STATUSES, RunStatus, StepStatus
from orchestration.models import Run, Step

GRACE = timedelta(seconds=30)
"""Younger ones are on their way: a timer that fires, a message that the relay delivers."""

OLDEST_FIRST = F("pk") + 0
"""No index has this order: along one PostgreSQL would read all that there ever were for the first few that are open."""


def orphaned() -> QuerySet[Request]:
    """Open requests whose answer no step waits for: the run has ended, or the step went another way.

    A step that is blocked because its attempt broke still waits: its retry finds the request. Any other that broke does
    not: its run is being undone, or has gone on without it.
    """
    again = _step_that_asked().filter(iteration__gt=OuterRef("run__parent_iteration"))
    gone_on = _step_that_asked().filter(
        Q(status__in=[StepStatus.FAILED, StepStatus.SKIPPED]) | Q(status=StepStatus.UNKNOWN, state__blocked=False)
    )
    of_a_run = _open().filter(run__parent__isnull=False)
    given_up = Exists(again) & ~Q(status=Status.CHANGES_REQUESTED)  # what was to be changed is asked again after it
    return of_a_run.filter(Q(run__parent__status__in=END_STATUSES) | Exists(gone_on) | given_up)


def overdue() -> QuerySet[Request]:
    """Open requests whose timer should have fired: the engine, or its workflow, has lost it."""
    return _open().filter(next_at__lt=now() - GRACE)


def untold() -> QuerySet[Request]:
    """Ended requests whose step still waits for the answer.

    Found from the runs on their way, not from the requests and steps that have ended: of those there are ever more. A
    negated condition keeps SQLite from beginning at the index of the status; that the step's iteration is compared, and
    not looked for, tells PostgreSQL that few will do.
    """
    waiting = _step_that_asked().filter(status=StepStatus.RUNNING, state__parked=True).values("iteration")[:1]
    asked_anew = Request.objects.filter(
        run__parent=OuterRef("run__parent"),
        run__parent_step=OuterRef("run__parent_step"),
        run__parent_iteration=OuterRef("run__parent_iteration"),
        pk__gt=OuterRef("pk"),
    )
    on_the_way = Run.objects.filter(status__in=[RunStatus.RUNNING, RunStatus.WAITING, RunStatus.HELD]).order_by()
    ended = Request.objects.filter(run__parent__in=on_the_way, decided_at__lt=now() - GRACE).exclude(status__in=OPEN)
    lost = ended.alias(waiting=Subquery(waiting)).filter(~Exists(asked_anew), waiting=F("run__parent_iteration"))
    return lost.select_related("run__parent").order_by(OLDEST_FIRST)


def shut_out() -> QuerySet[Request]:
    """Open requests that wait for an account that was closed or deleted, or lost its role."""
    able = get_user_model().objects.filter(
        Q(is_superuser=True) | Q(groups__name__in=principals.MAY_DECIDE), is_active=True
    )
    waiting = Seat.objects.filter(waits=True, person__startswith="user:").exclude(user__isnull=False, user__in=able)
    return _open().filter(Exists(waiting.filter(request=OuterRef("pk"))))


def without_some() -> QuerySet[Request]:
    """Requests with too few deciders, the latest first: looked at in each pass, since people who return end that."""
    return _open().filter(status=Status.RESCUE, words=TOO_FEW).order_by("-pk")


def open_after(pk: int) -> QuerySet[Request]:
    """Open requests with a greater primary key, in order."""
    return _open().filter(pk__gt=pk)


def _open() -> QuerySet[Request]:
    return Request.objects.filter(status__in=OPEN).select_related("run", "policy").order_by(OLDEST_FIRST)


def _step_that_asked() -> QuerySet[Any]:
    iteration = Cast(KeyTextTransform("iteration", "state"), IntegerField())
    steps = Step.objects.filter(run_id=OuterRef("run__parent_id"), step_id=OuterRef("run__parent_step"))
    return steps.annotate(iteration=iteration)
