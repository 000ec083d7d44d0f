"""The planner without an agent: one task for each requirement, the types of agents in turn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestration.core.project.requirements import ledger
from orchestration.core.project.spec import LONGEST_NAME, ProjectSpec, TaskSpec

LEAST_WORDS = 2
"""Words that a requirement must have for its text, found in another one, to say that this one comes first."""


def plan_by_rules(spec: ProjectSpec) -> tuple[TaskSpec, ...]:
    """`t1` serves R1, and so on. A task depends on another only where its text names that one: R2, t2, or its text."""
    requirements = ledger(spec)
    texts = [one.text.casefold() for one in requirements]
    agents = spec.agents_required
    return tuple(
        TaskSpec(
            task_id=f"t{number}",
            title=one.text if len(one.text) <= LONGEST_NAME else f"{one.text[: LONGEST_NAME - 1]}…",
            prompt=one.text,
            agent_type=agents[(number - 1) % len(agents)],
            requirements=(one.requirement_id,),
            dependencies=tuple(_named(number, texts)),
        )
        for number, one in enumerate(requirements, 1)
    )


def _named(own: int, texts: Sequence[str]) -> list[str]:
    """Those that the text of one names; `texts`: of all, case-folded."""
    text = texts[own - 1]
    words = set(re.findall(r"\b[rt]\d+\b", text))
    return [
        f"t{number}"
        for number, other in enumerate(texts, 1)
        if number != own and (words & {f"r{number}", f"t{number}"} or _holds(text, other))
    ]


def _holds(text: str, other: str) -> bool:
    """Whether the other one stands in the text as whole words."""
    if text == other or other not in text or len(other.split()) < LEAST_WORDS:
        return False
    return re.search(rf"(?<!\w){re.escape(other)}(?!\w)", text) is not None
