"""News for monitoring: which state changes of a run deserve a look. One row each, in the transaction of the change.

A healthy step makes none, so a run that does well costs one row at its start and one at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings

from foundation.clock import now
from foundation.db import statements
from orchestration.core.enums import Outcome, RunStatus
from orchestration.core.saga.facts import Fact
from orchestration.models import News, Run

STOPPED = (RunStatus.HELD, RunStatus.NEEDS_ATTENTION)
TROUBLE = frozenset({"step.failed", "step.unknown", "undo.compensation_failed"})
FINE = (Outcome.SUCCEEDED, Outcome.PARKED)


def kind_of(before: str, after: str, facts: Sequence[Fact]) -> str:
    """What a change from one status to another, with these facts, is to monitoring; '' for nothing of note."""
    status = RunStatus(after)
    if status.is_end:
        return News.DONE if status is RunStatus.COMPLETED else News.ENDED
    if status in STOPPED and after != before:
        return News.STOPPED
    return News.TROUBLE if any(_is_trouble(fact) for fact in facts) else ""


def _is_trouble(fact: Fact) -> bool:
    if fact.kind in TROUBLE or fact.kind.startswith("act.") or fact.kind.endswith(".machinery_failed"):
        return True
    return fact.kind.endswith(".attempt_ended") and fact.data.get("outcome") not in FINE


def news_of(found: Iterable[tuple[Run, str]]) -> list[statements.Statement]:
    """What writes the news; nothing while monitoring is off, for the site or for the run (`monitoring_enabled`)."""
    if not settings.WORKFLOW_MONITORING_ENABLED:
        return []
    at = statements.moment(now())
    rows = [(run.pk, kind, at) for run, kind in found if kind and run.config.get("monitoring_enabled", True)]
    return statements.insert("orchestration_news", "run_id, kind, at", rows)
