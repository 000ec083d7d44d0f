"""A run's figures: what conditions of recovery policies, pages and `perform_health_check` may ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitoring.core.conditions.tree import Line, Metrics, Value
from monitoring.core.detectors.steps import about
from monitoring.core.facts import Counted, RunFacts, StepInTrouble
from monitoring.core.health import Health
from monitoring.core.norms import Norms

HOUR = 3600.0


def metrics(facts: RunFacts, health: Health, norms: Norms | None = None) -> Metrics:
    """Every metric at `facts.now`; None where there is no value. `norms`: for `slowness`, which is unknown without."""
    lines = {name: (line,) for name, line in _lines(facts)}
    slow = tuple(_slowness(facts, norms or Norms()))
    values: dict[str, Value] = dict.fromkeys(MOVING) | _counts(facts) | _words(facts, health) | _settled(facts)
    return Metrics(facts.now, values, lines | ({"slowness": slow} if slow else {})).at(facts.now)


MOVING = (
    "execution_time_seconds", "execution_time_hours", "idle_seconds", "state_seconds", "busy_seconds",
    "deadline_in_seconds", "oldest_approval_hours", "slowness",
)  # fmt: skip


def _lines(facts: RunFacts) -> Iterator[tuple[str, Line]]:
    """What the clock moves; of a run that has ended that is the age of its end alone."""
    entered = facts.finished_at or facts.state_since
    if entered is not None:
        yield "state_seconds", Line(entered)
    if facts.ended:
        return
    if facts.started_at is not None:
        yield "execution_time_seconds", Line(facts.started_at)
        yield "execution_time_hours", Line(facts.started_at, 1 / HOUR)
    yield "idle_seconds", Line(facts.last_fact_at or facts.created_at)
    if facts.deadline is not None:
        yield "deadline_in_seconds", Line(facts.deadline, -1.0)
    if facts.gates:
        yield "oldest_approval_hours", Line(min(gate.opened_at for gate in facts.gates), 1 / HOUR)
    own = [one for one in facts.in_flight if not one.child]
    if facts.counted is not None and own:
        busy = facts.counted.busy + sum((facts.now - one.started_at).total_seconds() for one in own)
        yield "busy_seconds", Line(facts.now - timedelta(seconds=busy / len(own)), float(len(own)))


def _settled(facts: RunFacts) -> dict[str, Value]:
    """What the clock no longer moves: the time of a run that has ended, and the work of one that performs nothing."""
    found: dict[str, Value] = {}
    if facts.counted is not None:
        found["busy_seconds"] = facts.counted.busy
    if facts.finished_at is not None and facts.started_at is not None:
        seconds = (facts.finished_at - facts.started_at).total_seconds()
        found |= {"execution_time_seconds": seconds, "execution_time_hours": seconds / HOUR}
    return found


def _slowness(facts: RunFacts, norms: Norms) -> Iterator[Line]:
    for one in facts.in_flight:
        p95 = norms.of(facts.saga_id, one.step_id, one.purpose.value).p95
        if p95 and not one.child:
            yield Line(one.started_at, 1 / p95)


def _counts(facts: RunFacts) -> dict[str, Value]:
    done = facts.steps - facts.to_do
    counted = facts.counted or Counted(ended=facts.ended_attempts, failed=facts.failed_attempts)
    known = facts.counted is not None
    return {
        "error_rate": counted.failed / counted.ended if counted.ended else None,
        "attempts": counted.attempts if known else None, "retry_count": counted.retries if known else None,
        "worker_losses": counted.worker_losses if known else None,
        "failed_steps": sum(step.status == "failed" for step in facts.troubled),
        "unknown_steps": sum(step.status == "unknown" for step in facts.troubled),
        "blocked_steps": sum(step.blocked for step in facts.troubled),
        "compensation_failures": sum(step.open_undo for step in facts.troubled),
        "total_steps": facts.steps, "completed_steps": done,
        "completion_rate": done / facts.steps if facts.steps else None,
        "pending_approvals": len(facts.gates), "open_children": len(facts.children),
        "recovery_attempts": facts.recovered,
    }  # fmt: skip


def _words(facts: RunFacts, health: Health) -> dict[str, Value]:
    """`step_id`, `target`, `error`, `error_class`: of the step in trouble that failed last."""
    last = max(facts.troubled, key=_failed_at, default=None)
    told = about(facts, last) if last is not None else {}
    worst = health.issues[0] if health.issues else None
    return {
        "status": facts.status.value, "cause": facts.cause or None, "kind": facts.kind, "workflow_type": facts.kind,
        "saga_id": facts.saga_id, "engine": facts.engine, "health": health.status.value,
        "issue": frozenset(issue.code for issue in health.issues),
        "step_id": last.step_id if last is not None else (worst.step_id or None) if worst else None,
        "target": told.get("target") or (worst.target or None if worst else None),
        "error": (last.error if last is not None else "") or None,
        "error_class": told.get("error_class") or (worst.error_class or None if worst else None),
    }  # fmt: skip


def _failed_at(step: StepInTrouble) -> datetime:
    return step.since or NEVER


NEVER = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
