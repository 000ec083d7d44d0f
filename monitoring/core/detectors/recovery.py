"""What recovery says of a run in trouble: it has tried and cannot, it waits, or many runs fail at one target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from monitoring.core import errors
from monitoring.core.detectors.steps import about, target_of
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.facts import Recovered, RunFacts, StepInTrouble
from monitoring.core.health import Possible, Recommendation

AGAIN_AND_AGAIN = 3
OPEN = ("decided", "awaiting_approval", "acting", "watching")

BRAKES = ("policy", "site", "circuit")
"""What people should know that it waits for; the pause between two attempts is no such thing."""


def recovery(facts: RunFacts) -> Iterator[Possible]:
    """Of a run that has other issues; without those there is nothing to say."""
    tried = Counter(
        step_id
        for one in facts.recoveries
        if one.action == RecoveryAction.RETRY and one.state in ("failed", "no_effect")
        for step_id in one.steps
    )
    for step in facts.troubled:
        if (step.blocked or step.open_undo) and tried[step.step_id] >= AGAIN_AND_AGAIN:
            yield _in_vain(facts, step, tried[step.step_id])
    for one in facts.recoveries:
        if one.exhausted:
            yield _exhausted(facts, one)
        elif one.brake in BRAKES and one.state == "decided":
            yield _braked(facts, one)
    for step in facts.troubled:
        if (step.blocked or step.open_undo) and target_of(facts, step) in facts.storms:
            yield _storm(facts, step)


def _in_vain(facts: RunFacts, step: StepInTrouble, times: int) -> Possible:
    told = errors.in_short(step.error, step.http_status, step.host)
    text = f"recovery retried '{step.step_id}' {times} times and it fails each time" + (f" ({told})" if told else "")
    act = Recommendation(
        action=RecoveryAction.CANCEL, verb="abort",
        text=f"find out why '{step.step_id}' fails; abort the run, or restart it with other input",
    )  # fmt: skip
    return _possible(facts, "looping", text, HealthStatus.CRITICAL, act, step)


def _exhausted(facts: RunFacts, one: Recovered) -> Possible:
    text = f"recovery is at its end: {one.policy_id} has tried all that it may; a person decides"
    act = Recommendation(text=f"see what it tried (recovery attempts --run {facts.workflow_id}), then act by hand")
    return _possible(facts, "recovery_exhausted", text, HealthStatus.CRITICAL, act, _first(facts))


def _braked(facts: RunFacts, one: Recovered) -> Possible:
    act = Recommendation(text="retry by hand what cannot wait, and see whether the policy's budget fits")
    return _possible(facts, "recovery_braked", f"recovery waits: {one.waits}", HealthStatus.WARNING, act, _first(facts))


def _storm(facts: RunFacts, step: StepInTrouble) -> Possible:
    told = errors.in_short(step.error, step.http_status, step.host)
    mended = any(one.state in OPEN for one in facts.recoveries)
    what = "recovery tries one at a time" if mended else "no recovery policy is at it"
    text = f"many runs fail at once: '{step.step_id}' fails ({told}); {what}"
    after = "the runs go on by themselves once it works" if mended else "then retry them"
    act = Recommendation(text=f"see to {target_of(facts, step)}; {after}")
    found = _possible(facts, "target_failing", text, HealthStatus.CRITICAL, act, step)
    return replace(found, error_fp="")  # whatever fails there is one trouble


def _first(facts: RunFacts) -> StepInTrouble | None:
    stuck = (step for step in facts.troubled if step.blocked or step.open_undo)
    return next(stuck, None)


def _possible(
    facts: RunFacts, code: str, text: str, severity: HealthStatus, act: Recommendation, step: StepInTrouble | None
) -> Possible:
    concerns = about(facts, step) if step is not None else {"target": facts.saga_id[:100]}
    return Possible(
        code=code, steps=[(facts.now, severity)], say=lambda _: text, act=act,
        since=(step.since if step is not None else None) or facts.last_fact_at or facts.now, **concerns,
    )  # fmt: skip
