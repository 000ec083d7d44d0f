"""A run that was just judged, as recovery sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.core.conditions import Metrics
from monitoring.core.enums import HealthStatus
from monitoring.core.facts import RunFacts
from monitoring.core.health import Health, Issue


@dataclass(frozen=True, slots=True)
class Candidate:
    """`matched`: {recovery policy: since when the run matches it}."""

    facts: RunFacts
    health: Health
    metrics: Metrics
    matched: Mapping[str, datetime] = field(default_factory=dict)

    def issue(self, code: str = "", step_id: str = "") -> Issue | None:
        """The issue with this code and step; with neither the worst; None if there is none."""
        fits = (one for one in self.health.issues if code in ("", one.code) and step_id in ("", one.step_id))
        return next(fits, None)

    @property
    def since(self) -> datetime | None:
        """Since when its worst issue is there; None without one."""
        worst = self.issue()
        return worst.since if worst is not None else None

    @property
    def critical(self) -> bool:
        """Whether nothing moves on the run until somebody acts."""
        return self.health.status is HealthStatus.CRITICAL
