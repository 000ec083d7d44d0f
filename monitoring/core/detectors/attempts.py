"""What is in flight or ready: too long, past its time, in the hands of a lost worker, not taken up."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.core import durations
from monitoring.core.durations import after
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import Attempt, Ready, RunFacts
from monitoring.core.health import Possible, Recommendation
from monitoring.core.norms import Norms, slow

OVERDUE_GRACE = 30.0
"""Seconds past an attempt's timeout, and its worker's lease, after which it should be over whatever happened."""

NOT_TAKEN_WARNING, NOT_TAKEN_CRITICAL = 15.0, 300.0
LEASE = 10.0


def attempts(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    """The issues of attempts in flight, and of those that wait for a worker."""
    for attempt in facts.in_flight:
        if attempt.child:
            continue
        if attempt.worker and attempt.worker_until is None:
            yield _lost(facts, attempt)
            continue
        yield from _slow(facts, norms, attempt)
        yield from _overdue(facts, attempt)
        if attempt.tries > 1:
            yield _taken_up_again(facts, attempt)
    for ready in facts.ready:
        yield _not_taken(facts, ready)


def _name(attempt: Attempt) -> str:
    return f"the undo of '{attempt.step_id}'" if attempt.purpose == "undo" else f"'{attempt.step_id}'"


def _target(facts: RunFacts, step_id: str) -> str:
    return f"{facts.saga_id}:{step_id}"[:100]


def _slow(facts: RunFacts, norms: Norms, attempt: Attempt) -> Iterator[Possible]:
    norm = norms.of(facts.saga_id, attempt.step_id, attempt.purpose.value)
    bound = slow(norm, attempt.timeout_seconds, durations.in_words(norm.p95 or 0))
    name = _name(attempt)

    yield Possible(
        code="slow_step", step_id=attempt.step_id, target=_target(facts, attempt.step_id), since=attempt.started_at,
        steps=[
            (after(attempt.started_at, bound.seconds), HealthStatus.WARNING),
            (after(attempt.started_at, 2 * bound.seconds), HealthStatus.CRITICAL),
        ],
        say=lambda now: f"{name} runs for {durations.since(attempt.started_at, now)}; {bound.why}",
        act=Recommendation(
            action=RecoveryAction.PAUSE, verb="hold",
            text=f"look at the log of {name} (runs logs {facts.workflow_id}); hold the run if it should not go on",
        ),
    )  # fmt: skip


def _overdue(facts: RunFacts, attempt: Attempt) -> Iterator[Possible]:
    if attempt.timeout_seconds is None:
        return
    cut_off = after(attempt.started_at, attempt.timeout_seconds)
    name, limit = _name(attempt), durations.in_words(attempt.timeout_seconds)
    text = (
        f"{name} should have been cut off at {limit} and still runs on {attempt.worker or 'a worker'}: its thread hangs"
    )
    yield Possible(
        code="overdue_step", step_id=attempt.step_id, target=_target(facts, attempt.step_id), since=cut_off,
        steps=[(after(cut_off, OVERDUE_GRACE + LEASE), HealthStatus.CRITICAL)], say=lambda _: text,
        act=Recommendation(text=f"restart worker {attempt.worker}" if attempt.worker else "restart its worker"),
    )  # fmt: skip


def _lost(facts: RunFacts, attempt: Attempt) -> Possible:
    name = _name(attempt)
    text = f"the worker over {name} is gone ({attempt.worker}); another takes it up within seconds"
    return Possible(
        code="worker_lost", step_id=attempt.step_id, target=_target(facts, attempt.step_id),
        steps=[(facts.now, HealthStatus.WARNING)], say=lambda _: text, since=facts.now,
        act=Recommendation(text="if none takes it up within 30 s, start a worker"),
    )  # fmt: skip


def _taken_up_again(facts: RunFacts, attempt: Attempt) -> Possible:
    name = _name(attempt)
    text = f"{name} was taken up {attempt.tries} times: a worker was lost over it"
    return Possible(
        code="worker_lost", step_id=attempt.step_id, target=_target(facts, attempt.step_id),
        steps=[(attempt.started_at, HealthStatus.WARNING)], say=lambda _: text, since=attempt.started_at,
        act=Recommendation(text="see the log of the worker that was lost"),
    )  # fmt: skip


def _not_taken(facts: RunFacts, ready: Ready) -> Possible:
    threads = facts.serving.get(ready.queue, 0)
    if threads:
        busy = f"and {'its one thread is' if threads == 1 else f'all {threads} threads are'} busy"
        act = "add workers, or give them more threads (ZEN_WORKER_QUEUES)"
    else:
        busy = f"and no {facts.engine} worker serves the queue '{ready.queue}'"
        act = f"start a worker for the queue '{ready.queue}' (manage.py doctor says how)"
    return Possible(
        code="not_taken", step_id=ready.step_id, target=f"queue:{ready.queue}"[:100], since=ready.due_at,
        steps=[
            (after(ready.due_at, NOT_TAKEN_WARNING), HealthStatus.WARNING),
            (after(ready.due_at, NOT_TAKEN_CRITICAL), HealthStatus.CRITICAL),
        ],
        say=lambda now: f"'{ready.step_id}' is ready for {durations.since(ready.due_at, now)} {busy}",
        act=Recommendation(text=act),
    )  # fmt: skip
