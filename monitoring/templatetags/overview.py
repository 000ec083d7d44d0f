"""Lengths, shares and severities on the overview."""

from __future__ import annotations

from django import template

from monitoring.queries.charts import seconds

register = template.Library()
LOOKS = {"critical": ("bad", "cross"), "warning": ("warn", "clock"), "unknown": ("busy", "question")}


@register.filter
def length_of(value: float | None) -> str:
    """Seconds as `12 s`, `4.2 min`; '' for None."""
    return seconds(value)


@register.filter
def percent(share: float | None) -> str:
    """A share of 1 as `99.5 %`; '' for None."""
    return "" if share is None else f"{100 * share:.4g} %"


@register.inclusion_tag("orchestration/admin/badge.html")
def severity_badge(word: str) -> dict[str, str]:
    """A severity with its tone and sign."""
    tone, icon = LOOKS.get(word, ("calm", "dot"))
    return {"tone": tone, "icon": icon, "word": word}
