"""What a step says of itself: it blocks, its undo failed, its outcome is unknown, it retries or fails repeatedly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitoring.core import durations, errors
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import RunFacts, StepInTrouble
from monitoring.core.health import Possible, Recommendation

LOOPS = 5


def steps(facts: RunFacts) -> Iterator[Possible]:
    """The issues of each step in trouble, and what our own machinery could not finish."""
    for step in facts.troubled:
        if step.open_undo:
            yield _undo_failed(facts, step)
        elif step.blocked and step.status == "unknown" and step.http_status is None:
            yield _unknown(facts, step)
        elif step.blocked:
            yield _blocks(facts, step)
        elif step.status == "backing_off":
            yield from _retrying(facts, step)
        if step.iterations >= LOOPS and not step.open_undo:
            yield _looping(facts, step)
    for step_id, error in facts.machinery:
        yield _machinery(facts, step_id, error)


def about(facts: RunFacts, step: StepInTrouble) -> dict[str, Any]:
    """What an issue says of the step that it concerns: the fields of a `Possible`."""
    kind = errors.class_of(step.error, step.http_status)
    return {
        "step_id": step.step_id,
        "target": target_of(facts, step),
        "error_fp": errors.fingerprint(step.error, kind) if step.error else "",
        "error_class": kind,
    }


def target_of(facts: RunFacts, step: StepInTrouble) -> str:
    """The host, else the handler, else `saga:step`: what several runs have in common when it fails."""
    return (step.host or step.handler or f"{facts.saga_id}:{step.step_id}")[:100]


def _because(step: StepInTrouble) -> str:
    told = errors.in_short(step.error, step.http_status, step.host)
    return f" ({told})" if told else ""


def _since(facts: RunFacts, step: StepInTrouble) -> datetime:
    return step.since or facts.last_fact_at or facts.created_at


def _always(facts: RunFacts, step: StepInTrouble, severity: HealthStatus) -> list[tuple[datetime, HealthStatus]]:
    return [(min(_since(facts, step), facts.now), severity)]


def _blocks(facts: RunFacts, step: StepInTrouble) -> Possible:
    after = " after the pivot" if step.pivot_passed else ""
    text = f"step '{step.step_id}' failed{after}{_because(step)}; nothing moves until it is retried or skipped"
    retry = Recommendation(
        action=RecoveryAction.RETRY, verb="retry", step_id=step.step_id,
        text=f"retry step '{step.step_id}' once the cause is fixed" + (", or skip it" if step.can_skip else ""),
    )  # fmt: skip
    return Possible(
        code="step_blocks", steps=_always(facts, step, HealthStatus.CRITICAL), say=lambda _: text, act=retry,
        since=_since(facts, step), **about(facts, step),
    )  # fmt: skip


def _undo_failed(facts: RunFacts, step: StepInTrouble) -> Possible:
    times = "once" if step.undo_tried == 1 else f"{step.undo_tried} times"
    text = f"the undo of '{step.step_id}' failed {times}{_because(step)}; its effect still stands"
    act = Recommendation(
        action=RecoveryAction.RETRY, verb="resolve", step_id=step.step_id,
        text=f"fix the cause and retry the undo of '{step.step_id}', or undo it by hand and say so",
    )  # fmt: skip
    return Possible(
        code="undo_failed", steps=_always(facts, step, HealthStatus.CRITICAL), say=lambda _: text, act=act,
        since=_since(facts, step), **about(facts, step),
    )  # fmt: skip


def _unknown(facts: RunFacts, step: StepInTrouble) -> Possible:
    why = _because(step)
    probe = "its probe gave no answer" if step.has_probe else "it has no probe"
    text = f"nobody knows whether '{step.step_id}' was done{why}: {probe}; nothing moves until somebody says"
    key = "; a retry sends the same key" if step.asks else ""
    act = Recommendation(
        verb="retry", step_id=step.step_id, text=f"ask the other side whether '{step.step_id}' was done{key}"
    )
    return Possible(
        code="outcome_unknown", steps=_always(facts, step, HealthStatus.CRITICAL), say=lambda _: text, act=act,
        since=_since(facts, step), **about(facts, step),
    )  # fmt: skip


def _retrying(facts: RunFacts, step: StepInTrouble) -> Iterator[Possible]:
    """Once half of its attempts are used up, or a circuit breaker keeps it back, which uses none up."""
    few = step.most < 2 or 2 * step.tried < step.most
    if not step.error or (few and step.chance is None and not step.kept_back):
        return
    text = f"'{step.step_id}' failed {step.tried} of {step.most} times{_because(step)}"
    text += f", next try at {durations.clock(step.next_at)}" if step.next_at else ""
    if step.chance is not None:
        times = "once" if step.tried == 1 else f"{step.tried} times"
        text = f"'{step.step_id}' failed {times}{_because(step)}; second chance {step.chance[0]} of {step.chance[1]}"
        text += f" at {durations.clock(step.next_at)}" if step.next_at else ""
    if step.kept_back:
        text = f"'{step.step_id}' is kept back, since calls there keep failing{_because(step)}"
        text += f"; next try at {durations.clock(step.next_at)}" if step.next_at else ""
    yield Possible(
        code="retrying", steps=_always(facts, step, HealthStatus.WARNING), say=lambda _: text,
        since=_since(facts, step), act=Recommendation(text=f"wait: '{step.step_id}' is tried again by itself"),
        **about(facts, step),
    )  # fmt: skip


def _looping(facts: RunFacts, step: StepInTrouble) -> Possible:
    text = f"'{step.step_id}' was begun {step.iterations} times and failed again{_because(step)}"
    act = Recommendation(
        action=RecoveryAction.PAUSE, verb="hold", text=f"hold the run and find out why '{step.step_id}' fails"
    )
    return Possible(
        code="looping", steps=_always(facts, step, HealthStatus.CRITICAL), say=lambda _: text, act=act,
        since=_since(facts, step), **about(facts, step),
    )  # fmt: skip


def _machinery(facts: RunFacts, step_id: str, error: str) -> Possible:
    told = errors.in_short(error, None, "")
    text = f"our machinery could not finish '{step_id}'" + (f": {told}" if told else "")
    act = Recommendation(
        action=RecoveryAction.RETRY,
        verb="retry",
        step_id=step_id,
        text=f"retry '{step_id}' once; then see the worker's log",
    )
    return Possible(
        code="machinery_failed", steps=[(facts.now, HealthStatus.CRITICAL)], say=lambda _: text, act=act,
        since=facts.last_fact_at or facts.now, step_id=step_id, target=f"{facts.saga_id}:{step_id}"[:100],
        error_class=errors.ErrorClass.MACHINERY, error_fp=errors.fingerprint(error, errors.ErrorClass.MACHINERY),
    )  # fmt: skip
