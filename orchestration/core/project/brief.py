"""What every agent of a project is told: the project, and what it has to know of its constraints."""

from __future__ import annotations

from orchestration.core.project.spec import ProjectSpec
from orchestration.core.templates.tokens import text_of

OURS = frozenset({"timeline", "budget"})
"""Constraints that are kept by us, and not by the agents."""


def brief_of(spec: ProjectSpec) -> str:
    """Its title, its description, and each other constraint in a line."""
    lines = [f"# Project: {spec.name}", *([spec.description.strip()] if spec.description.strip() else [])]
    told = {key: value for key, value in spec.constraints.items() if key not in OURS and value is not None}
    if told:
        lines.append("## Constraints")
        lines.append("\n".join(f"- {key}: {text_of(value)}" for key, value in told.items()))
    return "\n\n".join(lines)
