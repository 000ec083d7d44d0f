"""What people asked to be changed, for the steps that are done again because of it."""

from __future__ import annotations

from orchestration.core.saga.guards import descendants
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run


def changes_wanted(run: Run, step_id: str, *, itself: bool = False) -> tuple[str, ...]:
    """The words of every rework that repeats this step, the oldest first. `itself`: only those that were put to it, and
    not those that a step before it was repeated for.

    They are read from what was accepted for the run, since its own log may be on its way while a step begins.
    """
    plan = None if itself else compiled_plan(run)
    asked = run.messages.filter(event__kind="rerun_requested", event__rework=True, refusal="").order_by("pk")
    return tuple(
        str(event["note"])
        for event in asked.values_list("event", flat=True)
        if event["step_id"] == step_id
        or (plan is not None and event["step_id"] in plan.steps and step_id in descendants(plan, event["step_id"]))
    )
