"""The runs above a run and below it: its parents, its children, and theirs."""

from __future__ import annotations

from orchestration.core.enums import END_STATUSES, RunStatus
from orchestration.models import Run

STUCK = (RunStatus.HELD, RunStatus.NEEDS_ATTENTION)
"""Only a person moves such a run on."""


def head_of(run: Run) -> Run:
    """The run at the head of its family: itself where it has no parent."""
    while run.parent is not None:
        run = run.parent
    return run


def blocked_descendants(run: Run) -> list[Run]:
    """The runs below this one, however deep, that only a person can move on. One query a level."""
    found: list[Run] = []
    level = [run]
    while level:
        level = list(Run.objects.filter(parent__in=level).exclude(status__in=END_STATUSES).order_by("id"))
        found += [child for child in level if child.status in STUCK]
    return found


def is_stuck(run: Run) -> bool:
    """Whether only a person can move on this run, or a run below it."""
    return run.status in STUCK or (not RunStatus(run.status).is_end and bool(blocked_descendants(run)))
