"""What an end leaves: a failure that was rolled back, an effect that still stands, warnings of a completed run."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.core import errors
from monitoring.core.detectors.steps import about
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import SAGAS, RunFacts, StepInTrouble
from monitoring.core.health import Possible, Recommendation
from orchestration.core.enums import RunStatus

INCOMPLETE = (RunStatus.ROLLBACK_INCOMPLETE, RunStatus.FORCE_STOPPED)
WITHOUT_FAULT = ("cancelled", "operator", "rejected")
"""Causes of an end that a person wanted."""


def ended(facts: RunFacts) -> Iterator[Possible]:
    """The one issue of a run that did not end well; none of one that did."""
    moment = facts.finished_at or facts.now
    if facts.kind not in SAGAS:
        return
    failed = next((step for step in facts.troubled if step.status in ("failed", "unknown")), None)
    concerns = about(facts, failed) if failed is not None else {"target": facts.saga_id[:100]}
    if facts.status in INCOMPLETE:
        told = facts.warnings[0] if facts.warnings else "some of its effects still stand"
        how = "force-stopped" if facts.status is RunStatus.FORCE_STOPPED else "rolled back in part"
        yield Possible(
            code="ended_incomplete", steps=[(moment, HealthStatus.CRITICAL)], say=lambda _: f"{how}: {told}",
            since=moment, act=Recommendation(text="undo by hand what still stands, then close its alert with a note"),
            **concerns,
        )  # fmt: skip
    elif facts.status is RunStatus.ROLLED_BACK:
        yield Possible(
            code="ended_failed", steps=[(moment, HealthStatus.WARNING)], say=lambda _: _rolled_back(facts, failed),
            since=moment, **concerns,
            act=Recommendation(
                action=RecoveryAction.RESTART, verb="restart", text="restart the run once the cause is fixed"
            ),
        )  # fmt: skip
    elif facts.warnings:
        yield Possible(
            code="completed_with_warnings", steps=[(moment, HealthStatus.WARNING)], since=moment,
            say=lambda _: f"completed with warnings: {facts.warnings[0]}", **concerns,
        )  # fmt: skip


def _rolled_back(facts: RunFacts, failed: StepInTrouble | None) -> str:
    if facts.cause in WITHOUT_FAULT or failed is None:
        return f"rolled back: {facts.cause.replace('_', ' ') or 'a step failed'}"
    told = errors.in_short(failed.error, failed.http_status, failed.host)
    return f"rolled back: step '{failed.step_id}' failed" + (f" ({told})" if told else "")
