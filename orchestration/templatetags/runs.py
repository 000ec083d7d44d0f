"""What the admin's pages need to show the words of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from orchestration.badges import look, spelt
from orchestration.core.enums import Outcome
from orchestration.projects.queries.gates import named_for_people

register = template.Library()


@register.filter
def outcome(attempt: Mapping[str, Any]) -> str:
    """How an attempt ended, or its status; of one that was held back, what it waits for, as its error begins."""
    if attempt["outcome"] != Outcome.PARKED:
        return str(attempt["outcome"] or attempt["status"])
    return "waiting for approval" if attempt["error"].startswith("waits for approval") else "waiting"


@register.filter
def in_words(gate: Mapping[str, Any]) -> str:
    """The name of a project's gate or question."""
    return named_for_people(gate)


@register.inclusion_tag("orchestration/admin/badge.html")
def badge(word: str) -> dict[str, str]:
    return {"word": spelt(word), **look(word)._asdict()}
