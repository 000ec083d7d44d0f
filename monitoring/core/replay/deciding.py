"""What a policy would have done about a run that is over, and whether it was needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.core.conditions import why
from monitoring.core.detectors import assess
from monitoring.core.enums import RecoveryAction
from monitoring.core.facts import RunFacts
from monitoring.core.matching import Armed, due, match_all
from monitoring.core.metrics import metrics
from monitoring.core.norms import Norms
from monitoring.core.recovery.actions import doing
from monitoring.core.recovery.ladder import Next, next_of
from monitoring.core.replay.facts_at import STATUSES, Replay
from monitoring.core.replay.history import UNSEEN_METRICS, History
from orchestration.core.enums import RunStatus

MOST_LOOKS = 10_000
"""At one run; a policy that has not decided by then is taken not to."""


@dataclass(frozen=True, slots=True)
class Look:
    """A moment at which the watch would have looked: the facts, and since when the policy matched; None: it did not."""

    facts: RunFacts
    since: datetime | None
    why: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What would have come of a run. `at`: when it would have acted, `action` what; None: it would not have.

    `matched`: since when it first matched; None: never. `told`: people would have been told. `refusal`: why no action
    was legal. `ended`: how the run ended. `recovered`: seconds from `at` to when it no longer matched without
    anybody's help, so that the act would have been needless; None: it did not, or somebody helped.
    """

    matched: datetime | None = None
    at: datetime | None = None
    action: RecoveryAction | None = None
    told: bool = False
    refusal: str = ""
    ended: RunStatus = RunStatus.COMPLETED
    recovered: float | None = None
    why: tuple[dict[str, object], ...] = ()


def decide(history: History, armed: Armed, norms: Norms, until: datetime) -> Decision:
    """What `armed` would have done first about a run, and what became of the run without. `until`: today."""
    found = Decision(ended=_end(history))
    for look in judgements(history, armed, norms, until):
        now = look.facts.now
        if found.at is not None:
            if look.since is None:
                return replace(found, recovered=_recovered(history, found, now))
            continue
        if look.since is None:
            continue
        found = replace(found, matched=found.matched or look.since)
        if not due([armed], {armed.policy_id: look.since}, now):
            continue
        step = next_step(armed, look.facts)
        found = replace(found, told=found.told or bool(step.tell))
        if step.action is not None:
            found = replace(found, at=now, action=step.action, why=look.why, refusal="")
        elif step.passed:
            found = replace(found, refusal=step.passed[0][1])
    last = history.entries[-1].at if history.entries else until
    return found if found.at is None else replace(found, recovered=_recovered(history, found, last))


def _recovered(history: History, found: Decision, over: datetime) -> float | None:
    """Seconds to `over`, from when on the run did not match or had ended; None if it ended badly, or with help."""
    if found.at is None or found.ended is not RunStatus.COMPLETED or helped_between(history, found.at, over):
        return None
    return max(0.0, (over - found.at).total_seconds())


def _end(history: History) -> RunStatus:
    words = (entry.kind.removeprefix("run.") for entry in history.entries if entry.kind.startswith("run."))
    return RunStatus(next((word for word in reversed(list(words)) if word in STATUSES), RunStatus.PENDING))


def helped_between(history: History, begin: datetime, end: datetime) -> bool:
    """Whether anybody, or recovery itself, acted on the run meanwhile."""
    return any(entry.kind.startswith("act.") and begin < entry.at <= end for entry in history.entries)


def next_step(
    armed: Armed, facts: RunFacts, spent: Collection[int] = (), told: Collection[RecoveryAction] = ()
) -> Next:
    """The rung that comes next on a run; first, where nothing was tried on it yet."""
    policy = armed.policy
    return next_of(
        policy.recovery_actions, policy.max_recovery_attempts, spent=spent, told=told,
        legal=lambda action: doing(action, facts).refusal,
    )  # fmt: skip


def judgements(history: History, armed: Armed, norms: Norms, until: datetime) -> Iterator[Look]:
    """Each moment at which the watch looks: after each entry of the log, and whenever it asked for by itself."""
    if not armed.policy.applies_to("saga", history.saga_id):
        return
    replay, since, number = Replay(history), None, 0
    for place, entry in enumerate(history.entries):
        replay.fold(entry)
        upcoming = history.entries[place + 1].at if place + 1 < len(history.entries) else until
        if upcoming == entry.at:
            continue
        now: datetime | None = entry.at
        while now is not None and now < upcoming and number < MOST_LOOKS:
            number += 1
            look, again = look_at(replay.facts(now), armed, norms, since)
            since = look.since
            yield look
            now = again


def look_at(facts: RunFacts, armed: Armed, norms: Norms, since: datetime | None) -> tuple[Look, datetime | None]:
    """One look, and when the next one is due by itself. `since`: of the look before."""
    health = assess(facts, norms)
    figures = metrics(facts, health, norms)
    lines = {name: one for name, one in figures.lines.items() if name not in UNSEEN_METRICS}
    figures = replace(figures, values={**figures.values, **dict.fromkeys(UNSEEN_METRICS)}, lines=lines)
    matched = match_all([armed], facts, figures, {armed.policy_id: since} if since is not None else {})
    moments = [moment for moment in (health.look_at, matched.look_at) if moment is not None]
    told = tuple(why(armed.condition, figures)) if armed.policy_id in matched.since else ()
    return Look(facts, matched.since.get(armed.policy_id), told), min(moments, default=None)
