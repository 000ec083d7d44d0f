"""Progress, cost and forecast of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from foundation.clock import now
from orchestration.core.project.criteria import CriterionStatus
from orchestration.core.project.requirements import RequirementStatus, TaskStatus
from orchestration.core.project.spec_checks import timeline_seconds
from orchestration.projects.queries.family import Family
from orchestration.runs.spending.funds import funds_of

SECONDS_AN_HOUR = 3600
MET = (CriterionStatus.PROVED, CriterionStatus.ACCEPTED)


def progress(
    statuses: Mapping[str, TaskStatus], requirements: Sequence[Mapping[str, Any]], criteria: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """How much is done of how much. A criterion that a person accepted is not proved."""
    return {
        "tasks_done": sum(status is TaskStatus.MERGED for status in statuses.values()),
        "tasks_total": len(statuses),
        "requirements_served": sum(one["status"] == RequirementStatus.SERVED for one in requirements),
        "requirements_total": len(requirements),
        "criteria_proved": sum(one["status"] == CriterionStatus.PROVED for one in criteria),
        "criteria_met": sum(one["status"] in MET for one in criteria),
        "criteria_total": len(criteria),
    }


def cost(family: Family) -> dict[str, Any]:
    """What the agents have spent. `budget`: the least of what the spec and the configuration allow, or what people
    raised it to, None for no limit. `held`: what sessions at work have reserved. `unknown`: attempts whose cost nothing
    tells."""
    known = [one.cost for one in family.attempts if one.cost is not None]
    funds = funds_of(family.run)
    tokens = {
        name: sum(getattr(one, f"{name}_tokens") for one in family.attempts) for name in ("input", "output", "cached")
    }
    return {
        "spent": str(sum(known, Decimal(0))),
        "budget": None if funds is None else f"{funds.budget:f}",
        "held": None if funds is None else f"{funds.held:f}",
        "tokens": tokens,
        "unknown": len(family.attempts) - len(known),
    }


def forecast(family: Family, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Hours: as the spec estimates, as they were so far, as they would be at this pace, and as its timeline allows.

    The pace is that of the merged tasks; before the first one, the estimate stands.
    """
    run, estimated = family.run, family.spec.estimated_duration_hours
    actual = None
    if run.started_at is not None:
        actual = ((run.finished_at or now()) - run.started_at).total_seconds() / SECONDS_AN_HOUR
    done, total = numbers["tasks_done"], numbers["tasks_total"]
    expected = estimated
    if actual is not None and (run.finished_at or (total and done == total)):
        expected = actual
    elif actual is not None and done:
        expected = actual * total / done
    seconds = timeline_seconds(family.spec)
    allowed = None if seconds is None else seconds / SECONDS_AN_HOUR
    hours = {
        "estimated_hours": estimated, "actual_hours": actual, "expected_hours": expected, "timeline_hours": allowed
    }  # fmt: skip
    return {name: None if one is None else round(one, 3) for name, one in hours.items()}
