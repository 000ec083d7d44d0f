"""The budget of a project as of now: the least of what spec and configuration allow, or what people raised it to."""

from __future__ import annotations

from decimal import Decimal

from orchestration.core.agent.asking import Choice, choice_of, raised_to
from orchestration.core.agent.verdict import Asked
from orchestration.core.inquiry import ReplyStatus
from orchestration.core.project import ProjectConfig, ProjectSpec
from orchestration.core.project.phases import PROJECT
from orchestration.core.project.spec_checks import budget_of
from orchestration.inquiries import inquiry_service
from orchestration.models import Run

MOST_RAISES = 100


def first_budget(home: Run) -> Decimal | None:
    """What the project was given at its start; None where it has no bound, or is no project."""
    given = home.context.get(PROJECT) if home.kind == Run.PROJECT else None
    if not isinstance(given, dict):
        return None
    spec, config = ProjectSpec.model_validate(given["spec"]), ProjectConfig.model_validate(given["config"])
    caps = [cap.value for cap in (budget_of(spec), config.cap) if cap is not None]
    return min(caps) if caps else None


def budget_now(home: Run) -> Decimal | None:
    """The same, with what people have raised it to since."""
    budget = first_budget(home)
    for _ in range(MOST_RAISES if budget is not None else 0):
        reply = inquiry_service().find(home, key_of(budget or Decimal(0)))
        if reply is None or reply.status is not ReplyStatus.ANSWERED or choice_of(Asked.BUDGET, reply) is Choice.END:
            break
        before = budget or Decimal(0)
        budget = max(raised_to(reply, before), before)
        budget = budget if budget > before else before * 2
    return budget


def key_of(budget: Decimal) -> str:
    """The key of the question what follows once a budget is spent; another budget is another question."""
    return f"project-budget:{budget.normalize():f}"
