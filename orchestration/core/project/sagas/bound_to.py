"""What gates are bound to, so that another plan or another commit is another question; and what they show besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.core.project.phases import BUILT, CHANGES
from orchestration.core.project.sagas.tasks import literal
from orchestration.core.project.spec import ProjectSpec
from orchestration.core.templates.tokens import text_of

PLAN_OUTPUT, PLAN_IN_FORCE = (
    {"tasks": f"{{{step}.in_words}}"} | {name: f"{{{step}.{name}}}" for name in ("plan_hash", "coverage")}
    for step in ("plan", CHANGES)
)
HEAD_OUTPUT = {
    "commit": "{verify.commit}",
    "evidence": "{verify.evidence_digest}",
    "cost_so_far": "{verify.cost_so_far}",
    "tests_changed": "{verify.tests_changed}",
}
BUILT_OUTPUT = {name: f"{{{BUILT}.{name}}}" for name in ("commit", "cost_so_far", "tests_changed")}
MOST_LIMITS, LONGEST_LIMIT = 12, 300
BOUND_TO: Mapping[str, Mapping[str, str]] = {
    "plan": PLAN_OUTPUT, CHANGES: PLAN_IN_FORCE, BUILT: BUILT_OUTPUT, "verify": HEAD_OUTPUT
}  # fmt: skip
"""By step, what the gates after it are bound to."""


def limits_of(spec: ProjectSpec) -> dict[str, Any]:
    """The constraints as those at a gate read them: the first ones, a long one cut."""
    lines = [f"{key}: {text_of(value)}" for key, value in spec.constraints.items() if value is not None]
    told = [literal(line if len(line) <= LONGEST_LIMIT else f"{line[: LONGEST_LIMIT - 1]}…") for line in lines]
    return {"constraints": told[:MOST_LIMITS]} if told else {}
