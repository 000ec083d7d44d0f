"""The runs above a run and below it: its parents, its children, and theirs."""

from __future__ import annotations

from orchestration.core.words import END_STATUSES, RunStatus
from orchestration.models import Run

STUCK = (RunStatus.HELD, RunStatus.NEEDS_ATTENTION)
"""Only a person moves such a run on."""


def head_of(run: Run) -> Run:
    """The run at the head of its family: itself where it is nobody's child."""
    while run.parent is not None:
        run = run.parent
    return run


def stuck_below(run: Run) -> list[Run]:
    """The runs below this one, however deep, that only a person can move on. One query a level."""
    found: list[Run] = []
    level = [run]
    while level:
        level = list(Run.objects.filter(parent__in=level).exclude(status__in=END_STATUSES).order_by("id"))
        found += [child for child in level if child.status in STUCK]
    return found


def is_stuck(run: Run) -> bool:
    """Whether nothing but a person moves it on, or a run below it."""
    return run.status in STUCK or (not RunStatus(run.status).is_end and bool(stuck_below(run)))
