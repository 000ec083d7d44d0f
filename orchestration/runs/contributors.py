"""The people whose input a run has. None of them may decide its gates.

They are who started it, for whom, who published what it does, and the same of all runs above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from foundation.models import AuditEvent
from orchestration.core.saga.guards import descendants
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run


class Contributor(NamedTuple):
    """`user_id`: the account; None where there was none, or none is known. `name`: as it was then."""

    user_id: int | None
    name: str


def givers_of(run: Run) -> list[Contributor]:
    """Each person once. A restarted run keeps those of the run that it repeats."""
    return list(dict.fromkeys(one for one in _all(run) if one.name))


def agents_of(run: Run) -> list[Contributor]:
    """The agents that have started the run or one above it, and their owners."""
    found: dict[Contributor, None] = {}
    above: Run | None = run
    while above is not None:
        if above.created_for:
            found[Contributor(above.created_by_id, above.created_by)] = None
            found[Contributor(above.created_for_id, above.created_for)] = None
        above = above.parent
    return list(found)


def asked_anew_by(run: Run, step_id: str, *, since: datetime) -> list[Contributor]:
    """Who has had a step done once more since then: by a retry of it, or by a rerun of it or of a step that it needs.

    `since`: aware.
    """
    acts = AuditEvent.objects.filter(
        workflow_id=run.workflow_id, action__in=("run.retry", "run.rerun"), at__gte=since
    ).order_by("seq")
    plan = compiled_plan(run)
    named = [(act, act.data.get("step_id", "")) for act in acts]
    return [
        giver
        for act, name in named
        if name == step_id or (name in plan.steps and step_id in descendants(plan, name))
        for giver in _of_act(act)
    ]


def _of_act(act: AuditEvent) -> Iterator[Contributor]:
    yield Contributor(act.data.get("user_id"), act.actor)
    if owner := act.data.get("owner"):
        yield Contributor(act.data.get("owner_id"), owner)
    yield from (Contributor(user_id, name) for user_id, name in act.data.get("asked_by", ()))


def _all(run: Run | None) -> Iterator[Contributor]:
    while run is not None:
        yield Contributor(run.created_by_id, run.created_by)
        yield Contributor(run.created_for_id, run.created_for)
        yield Contributor(run.definition.published_by_id, run.definition.published_by)
        yield from (Contributor(user_id, name) for user_id, name in run.input_by)
        run = run.parent
