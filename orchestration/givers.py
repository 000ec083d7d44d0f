"""Whose input a run has: who started it, for whom, who published what it does, and the same of all runs above it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from orchestration.core.guards import descendants
from orchestration.models import AuditEvent, Run
from orchestration.plans import plan_of


class Giver(NamedTuple):
    """`user_id`: the account; None where there was none, or none is known. `name`: as it was then."""

    user_id: int | None
    name: str


def givers_of(run: Run) -> list[Giver]:
    """Each once. A restart keeps those of the run that it repeats."""
    return list(dict.fromkeys(one for one in _all(run) if one.name))


def asked_anew_by(run: Run, step_id: str, *, since: datetime) -> list[Giver]:
    """Who has since had a step done once more: by a retry of it, or by a rerun of it or of a step that it needs."""
    acts = AuditEvent.objects.filter(
        workflow_id=run.workflow_id, action__in=("run.retry", "run.rerun"), at__gte=since
    ).order_by("seq")
    plan = plan_of(run)
    named = [(act, act.data.get("step_id", "")) for act in acts]
    return [
        giver
        for act, name in named
        if name == step_id or (name in plan.steps and step_id in descendants(plan, name))
        for giver in _of_act(act)
    ]


def _of_act(act: AuditEvent) -> Iterator[Giver]:
    yield Giver(act.data.get("user_id"), act.actor)
    if owner := act.data.get("owner"):
        yield Giver(act.data.get("owner_id"), owner)


def _all(run: Run | None) -> Iterator[Giver]:
    while run is not None:
        yield Giver(run.created_by_id, run.created_by)
        yield Giver(run.created_for_id, run.created_for)
        yield Giver(run.definition.published_by_id, run.definition.published_by)
        yield from (Giver(user_id, name) for user_id, name in run.input_by)
        run = run.parent
