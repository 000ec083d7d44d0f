"""The planner without an agent: one task for each requirement, the types of agents in turn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestration.core.project.plan import Requirement
from orchestration.core.project.requirements import ledger
from orchestration.core.project.spec import LONGEST_NAME, ProjectSpec, TaskSpec

LEAST_WORDS = 2
"""Words that a requirement must have for its text, found in another one, to say that this one comes first."""


def plan_by_rules(spec: ProjectSpec) -> tuple[TaskSpec, ...]:
    """`t1` serves R1, and so on. A task depends on another only where its text names that one: R2, t2, or its text."""
    requirements = ledger(spec)
    agents = spec.agents_required
    return tuple(
        TaskSpec(
            task_id=f"t{number}",
            title=one.text if len(one.text) <= LONGEST_NAME else f"{one.text[: LONGEST_NAME - 1]}…",
            prompt=one.text,
            agent_type=agents[(number - 1) % len(agents)],
            requirements=(one.requirement_id,),
            dependencies=tuple(_named(one, number, requirements)),
        )
        for number, one in enumerate(requirements, 1)
    )


def _named(one: Requirement, own: int, requirements: Sequence[Requirement]) -> list[str]:
    text = one.text.casefold()
    words = set(re.findall(r"\b[rt]\d+\b", text))
    return [
        f"t{number}"
        for number, other in enumerate(requirements, 1)
        if number != own and (words & {f"r{number}", f"t{number}"} or _holds(text, other.text.casefold()))
    ]


def _holds(text: str, other: str) -> bool:
    return (
        text != other
        and len(other.split()) >= LEAST_WORDS
        and re.search(rf"(?<!\w){re.escape(other)}(?!\w)", text) is not None
    )
