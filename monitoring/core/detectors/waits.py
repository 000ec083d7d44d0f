"""What a run waits for: a timer, people, a run below it, a person who holds it, its engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from monitoring.core import durations
from monitoring.core.durations import after
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import Child, Gate, RunFacts, Timer, Undelivered
from monitoring.core.health import Possible, Recommendation

TIMER_LATE = 30.0
HAND_OVER_LATE = 30.0
ACT_WARNING, ACT_CRITICAL = 30.0, 300.0
GATE_WARNING, GATE_CRITICAL, GATE_OPEN_END = 0.5, 0.9, 86_400.0
HELD_LONG = 86_400.0
WAKE = RecoveryAction.WAKE


def waits(facts: RunFacts) -> Iterator[Possible]:
    """The issues of what is waited for."""
    if not facts.handed_over:
        yield _not_handed_over(facts)
    for timer in facts.timers:
        yield _timer(facts, timer)
    for message in facts.undelivered:
        yield _undelivered(facts, message)
    for gate in facts.gates:
        yield _gate(gate)
    for child in facts.children:
        yield from _child(facts, child)
    if facts.held and facts.held_by and facts.held_since is not None:
        yield _held(facts)


def _not_handed_over(facts: RunFacts) -> Possible:
    away = " (its server does not answer)" if facts.engine == "temporal" else ""
    return Possible(
        code="not_handed_over", target=f"engine:{facts.engine}", since=facts.created_at,
        steps=[(after(facts.created_at, HAND_OVER_LATE), HealthStatus.CRITICAL)],
        say=lambda now: f"{facts.engine} has not taken the run for {durations.since(facts.created_at, now)}{away}",
        act=Recommendation(
            action=WAKE, text=f"see that {facts.engine} runs (manage.py doctor); it is tried again by itself"
        ),
    )  # fmt: skip


def _timer(facts: RunFacts, timer: Timer) -> Possible:
    what = f"the wait of '{timer.step_id}'" if timer.step_id else f"the {timer.kind or 'timer'} of the run"
    return Possible(
        code="timer_overdue", step_id=timer.step_id, target=f"engine:{facts.engine}", since=timer.due_at,
        steps=[(after(timer.due_at, TIMER_LATE), HealthStatus.CRITICAL)],
        say=lambda now: f"{what} ended {durations.since(timer.due_at, now)} ago and its timer has not fired",
        act=Recommendation(action=WAKE, text="wake the run; see that a worker of its engine runs"),
    )  # fmt: skip


def _undelivered(facts: RunFacts, message: Undelivered) -> Possible:
    whose = f"{message.by}'s {message.what}" if message.by else f"a message ({message.what})"
    return Possible(
        code="act_undelivered", target=f"engine:{facts.engine}", since=message.since,
        steps=[
            (after(message.since, ACT_WARNING), HealthStatus.WARNING),
            (after(message.since, ACT_CRITICAL), HealthStatus.CRITICAL),
        ],
        say=lambda now: f"{whose} is stored for {durations.since(message.since, now)} and not delivered",
        act=Recommendation(action=WAKE, text=f"see that {facts.engine} answers; it is delivered by itself then"),
    )  # fmt: skip


def _gate(gate: Gate) -> Possible:
    """By how much of its time is gone; without an end, after a day."""
    if gate.expires_at is None:
        steps = [(after(gate.opened_at, GATE_OPEN_END), HealthStatus.WARNING)]
        until = ""
    else:
        whole: timedelta = gate.expires_at - gate.opened_at
        steps = [
            (gate.opened_at + GATE_WARNING * whole, HealthStatus.WARNING),
            (gate.opened_at + GATE_CRITICAL * whole, HealthStatus.CRITICAL),
        ]
        until = f"; {gate.at_the_end} at {durations.clock(gate.expires_at)}"
    whom = f" by {gate.whom}" if gate.whom else ""
    return Possible(
        code="gate_waits", step_id=gate.step_id, target=f"approval:{gate.request_id}"[:100], since=gate.opened_at,
        steps=steps, say=lambda now: f"waits {durations.since(gate.opened_at, now)} for a yes{whom}{until}",
        act=Recommendation(
            action=RecoveryAction.ESCALATE, text=f"remind them (approval remind {gate.request_id}), or decide"
        ),
    )  # fmt: skip


def _child(facts: RunFacts, child: Child) -> Iterator[Possible]:
    if child.worst not in ("warning", "critical"):
        return
    told = child.sentence or child.status.value.replace("_", " ")
    text = f"child run '{child.workflow_id}': {told}"
    yield Possible(
        code="child_in_trouble", step_id=child.step_id, target=f"{facts.saga_id}:{child.step_id}"[:100],
        steps=[(facts.now, HealthStatus(child.worst))], say=lambda _: text, since=facts.last_fact_at or facts.now,
        act=Recommendation(text=f"act on the child run '{child.workflow_id}'"),
    )  # fmt: skip


def _held(facts: RunFacts) -> Possible:
    since = facts.held_since or facts.now
    why = f': "{facts.hold_reason}"' if facts.hold_reason else ""
    return Possible(
        code="held_long", since=since, steps=[(after(since, HELD_LONG), HealthStatus.WARNING)],
        say=lambda now: f"held by {facts.held_by} for {durations.since(since, now)}{why}",
        act=Recommendation(action=RecoveryAction.RESUME, verb="release", text="release the run, or abort it"),
    )  # fmt: skip
