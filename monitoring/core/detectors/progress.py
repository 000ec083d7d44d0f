"""The run as a whole: nothing happens, it takes too long, misses its deadline, fails too often, nears a limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from monitoring.core import durations
from monitoring.core.durations import after
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import RunFacts, StepInTrouble
from monitoring.core.health import Possible, Recommendation
from monitoring.core.norms import ENOUGH, Norms, slow

STALLED_LEAST = 900.0
STALLED_FACTOR = 3.0
RATE_WARNING, RATE_CRITICAL, RATE_LEAST = 0.3, 0.6, 5
LIMIT_WARNING, LIMIT_CRITICAL = 0.7, 0.9
LEVELS_LEAST = 4
"""Where fewer levels of child sagas are allowed, a run on the last one is nothing to tell of."""

DEADLINE_SHARE, DEADLINE_DONE = 0.8, 0.5


def progress(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    """The issues of the run itself."""
    if facts.engine_away_since is not None:
        yield _engine_away(facts, facts.engine_away_since)
    if facts.lost_workflow:
        yield _workflow_lost(facts)
    else:
        yield from _stalled(facts, norms)
    yield from _over_forecast(facts) if facts.forecast_until else _overlong(facts, norms)
    yield from _deadline(facts, norms)
    yield from _error_rate(facts)
    yield from _near_limit(facts)


def _engine_away(facts: RunFacts, since: datetime) -> Possible:
    name = facts.engine.capitalize()
    why = f" ({facts.engine_error})" if facts.engine_error else ""
    text = f"{name} does not answer since {durations.clock(since)}{why}; what the run does is not known"
    return Possible(
        code="engine_away", target=f"engine:{facts.engine}", since=since, steps=[(since, HealthStatus.UNKNOWN)],
        say=lambda _: text, act=Recommendation(text=f"start {name} (manage.py doctor)"),
    )  # fmt: skip


def _workflow_lost(facts: RunFacts) -> Possible:
    text = f"Temporal knows no workflow '{facts.workflow_id}' any more"
    return Possible(
        code="workflow_lost", target="engine:temporal", steps=[(facts.now, HealthStatus.CRITICAL)], say=lambda _: text,
        since=facts.now,
        act=Recommendation(
            action=RecoveryAction.RESTART, verb="force-stop",
            text="force-stop the run, then restart it: its workflow is gone",
        ),
    )  # fmt: skip


def _waits_for_something(facts: RunFacts) -> bool:
    waiting = (facts.in_flight, facts.ready, facts.timers, facts.undelivered, facts.children, facts.gates)
    return facts.held or not facts.handed_over or any(waiting) or any(_explains(step) for step in facts.troubled)


def _explains(step: StepInTrouble) -> bool:
    return step.blocked or step.open_undo or step.next_at is not None


def _stalled(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    """Nothing happens and nothing is waited for: it should not be possible."""
    if _waits_for_something(facts) or facts.engine_away_since is not None or facts.trouble:
        return
    since = facts.last_fact_at or facts.created_at
    gap = norms.of(facts.saga_id, "", "gap").p99 or 0.0
    text = "and nothing is waited for: this should not be possible"
    yield Possible(
        code="stalled", target=f"engine:{facts.engine}", since=since,
        steps=[(after(since, max(STALLED_FACTOR * gap, STALLED_LEAST)), HealthStatus.CRITICAL)],
        say=lambda now: f"nothing has happened for {durations.since(since, now)} {text}",
        act=Recommendation(
            action=RecoveryAction.WAKE, text="wake the run; if nothing moves then, see the workers' logs"
        ),
    )  # fmt: skip


def _overlong(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    """Waits for people are left out: a run that waits for them is not slow."""
    norm = norms.of(facts.saga_id)
    if facts.started_at is None or norm.p95 is None or norm.n < ENOUGH or facts.gates or facts.held:
        return
    bound, began = slow(norm, None, durations.in_words(norm.p95)), facts.started_at
    yield Possible(
        code="overlong", target=facts.saga_id[:100], since=began,
        steps=[(after(began, bound.seconds), HealthStatus.WARNING)],
        say=lambda now: f"runs for {durations.since(began, now)}; {bound.why}",
        act=Recommendation(text=f"see what it waits for (runs why {facts.workflow_id})"),
    )  # fmt: skip


def _over_forecast(facts: RunFacts) -> Iterator[Possible]:
    """A project by its own estimate, whoever it waits for."""
    until, began = facts.forecast_until, facts.started_at
    if until is None or began is None:
        return
    yield Possible(
        code="overlong", target=facts.saga_id[:100], since=until, steps=[(until, HealthStatus.WARNING)],
        say=lambda now: f"runs for {durations.since(began, now)}: more than a fifth longer than its estimate",
        act=Recommendation(text="see what is left (manage.py project show), and decide its request re-plan"),
    )  # fmt: skip


def _deadline(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    """By what the median leaves to do; without one, once 4/5 of its time are gone and less than half is done."""
    if facts.deadline is None or facts.started_at is None or not facts.steps:
        return
    at, began, share_left = facts.deadline, facts.started_at, facts.to_do / facts.steps
    norm = norms.of(facts.saga_id)
    act = Recommendation(
        action=RecoveryAction.ROLLBACK, verb="abort", text="restart it with a later timeout_seconds, or abort it"
    )
    if norm.p50 is not None and norm.n >= ENOUGH:
        needs = share_left * norm.p50
        moment = after(at, -needs)
        yield Possible(
            code="deadline_near", target=facts.saga_id[:100], since=moment, steps=[(moment, HealthStatus.WARNING)],
            say=lambda now: _late(at, max(0.0, (now - at).total_seconds() + needs)), act=act,
        )  # fmt: skip
    elif share_left > DEADLINE_DONE:
        moment = began + DEADLINE_SHARE * (at - began)
        done = facts.steps - facts.to_do
        text = f"{done} of {facts.steps} steps are done, and the deadline is {durations.clock(at)}"
        yield Possible(
            code="deadline_near", target=facts.saga_id[:100], since=moment, steps=[(moment, HealthStatus.WARNING)],
            say=lambda _: text, act=act,
        )  # fmt: skip


def _late(deadline: datetime, seconds: float) -> str:
    return f"will miss its deadline at {durations.clock(deadline)} by about {durations.in_words(seconds)}"


def _error_rate(facts: RunFacts) -> Iterator[Possible]:
    ended, failed = facts.ended_attempts, facts.failed_attempts
    if ended < RATE_LEAST or failed / ended < RATE_WARNING:
        return
    severity = HealthStatus.CRITICAL if failed / ended >= RATE_CRITICAL else HealthStatus.WARNING
    most = f", most with {facts.commonest_error}" if facts.commonest_error else ""
    text = f"{failed} of {ended} attempts failed{most}"
    yield Possible(
        code="error_rate_high", target=facts.saga_id[:100], steps=[(facts.now, severity)], say=lambda _: text,
        since=facts.last_fact_at or facts.now,
    )  # fmt: skip


def _near_limit(facts: RunFacts) -> Iterator[Possible]:
    if severity := _near(facts.history, facts.history_most):
        text = f"{facts.history:,} of {facts.history_most:,} events: the run ends at the limit"
        yield Possible(
            code="near_limit", target="engine:temporal", steps=[(facts.now, severity)], say=lambda _: text,
            since=facts.now, act=Recommendation(text="split the saga into child sagas"),
        )  # fmt: skip
    elif facts.depth_most >= LEVELS_LEAST and (severity := _near(facts.depth, facts.depth_most)):
        deep = f"{facts.depth} of {facts.depth_most} levels of child sagas: a deeper one is refused"
        yield Possible(
            code="near_limit", target=facts.saga_id[:100], steps=[(facts.now, severity)], say=lambda _: deep,
            since=facts.created_at, act=Recommendation(text="start the rest as runs of their own"),
        )  # fmt: skip


def _near(number: int, most: int) -> HealthStatus | None:
    """How near a number is to the most that it may be; `most` 0: there is no limit."""
    if not most or number < LIMIT_WARNING * most:
        return None
    return HealthStatus.CRITICAL if number >= LIMIT_CRITICAL * most else HealthStatus.WARNING
