"""What a run's page says of its health (the port `orchestration.ports.HealthReader`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from foundation.clock import now
from monitoring.models import RunHealth
from monitoring.performing import explain
from monitoring.recovery import policies
from monitoring.watch.judge import judge, views_of
from monitoring.watch.site import away
from orchestration.models import Run
from orchestration.ports import HealthOnPage


class RunPageHealth:
    """Implements `orchestration.ports.HealthReader`; the setting ZEN_RUN_HEALTH names `HEALTH`."""

    def on_page(self, run: Run) -> HealthOnPage | None:
        """As it is stored, if that is of this version of the run and not due; judged now otherwise."""
        if not settings.WORKFLOW_MONITORING_ENABLED or not run.config.get("monitoring_enabled", True):
            return None
        row = RunHealth.objects.filter(pk=run.pk).first()
        known = row is not None and row.version == run.version and (row.look_at is None or row.look_at > now())
        if row is not None and known and not row.matched and not run.recoveries.exists():
            return HealthOnPage(status=row.status, lines=_lines(row.issues))
        armed = policies.armed()
        judged = judge([run.pk], away(), armed=armed)
        if not judged:
            return None
        return HealthOnPage(
            status=judged[0].health.status.value, lines=_lines(views_of(judged[0].health)),
            recovery=explain.lines(judged[0].candidate, armed),
        )  # fmt: skip


def _lines(issues: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(one["sentence"], (one.get("act") or {}).get("text", "")) for one in issues]


HEALTH = RunPageHealth()
