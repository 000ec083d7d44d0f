"""Which troubles are told together, in which words, and when: rules, groups, and the life of an alert. Pure.

A group is a rule, what fails (a host, a handler, a step) and the error without its numbers and names: 500 runs that
fail with one error are one alert with 500 members.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitoring.core.enums import HealthStatus
from monitoring.core.health import Issue

RUN, SAGA, SITE = "run", "saga", "site"
CRITICAL, WARNING = HealthStatus.CRITICAL, HealthStatus.WARNING
FORMING = {CRITICAL: timedelta(seconds=5), WARNING: timedelta(seconds=30)}
"""So long a group may form before its first message."""

LEAST_BETWEEN = timedelta(seconds=60)
"""Between two messages of an alert."""

GROWN = 10
"""Told again when it has so many times the members that were told of."""

FLAPS, FLAP_WINDOW, CALM_AFTER = 4, timedelta(hours=1), timedelta(minutes=30)
"""An alert that opens so often within the window is held open until it was quiet for a while."""

LEAVES_AFTER = timedelta(hours=1)
"""Runs that have ended leave their alert after this, unless something still stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`codes`: the issues that it tells of, with the least severity of each. `for_s`: how long one has to be there.

    `source`: whether they are issues of runs, of whole sagas or of the site.
    """

    name: str
    codes: Mapping[str, HealthStatus]
    severity: HealthStatus
    source: str = RUN
    for_s: float = 0.0
    resolve_after_s: float = 60.0
    repeat_s: float = 4 * 3600.0
    channels: Sequence[str] = field(default_factory=tuple)


SHIPPED: tuple[Rule, ...] = (
    Rule(
        name="run_blocked", severity=CRITICAL,
        codes=dict.fromkeys(
            ("step_blocks", "undo_failed", "machinery_failed", "outcome_unknown", "looping"), CRITICAL
        ),
    ),
    Rule(name="run_failed", severity=WARNING, codes={"ended_failed": WARNING, "ended_incomplete": WARNING}),
    Rule(
        name="run_stuck", severity=CRITICAL, for_s=60.0,
        codes=dict.fromkeys(
            (
                "stalled", "timer_overdue", "not_handed_over", "workflow_lost", "overdue_step", "act_undelivered",
                "not_taken",
            ),
            CRITICAL,
        ),
    ),
    Rule(
        name="run_slow", severity=WARNING, for_s=300.0,
        codes=dict.fromkeys(("slow_step", "overlong", "deadline_near", "near_limit"), WARNING),
    ),
    Rule(name="approval_late", severity=WARNING, codes={"gate_waits": WARNING}),
    Rule(name="target_failing", severity=CRITICAL, codes={"target_failing": CRITICAL}),
    Rule(name="recovery_exhausted", severity=CRITICAL, codes={"recovery_exhausted": CRITICAL}),
    Rule(name="recovery_braked", severity=WARNING, codes={"recovery_braked": WARNING}),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is told together. `fingerprint`: 32 hex digits, the same for the same group."""

    rule: str
    target: str
    error_fp: str
    fingerprint: str


def group_of(rule: Rule, issue: Issue) -> Group:
    """The group of an issue under a rule."""
    text = f"{rule.name}\n{issue.target}\n{issue.error_fp or issue.code}"
    found = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Group(rule=rule.name, target=issue.target, error_fp=issue.error_fp, fingerprint=found)


def tells(rule: Rule, issue: Issue) -> bool:
    """Whether the rule tells of such an issue, however long it is there."""
    least = rule.codes.get(issue.code)
    return least is not None and issue.severity.rank >= least.rank


def told_by(rules: Iterable[Rule], issue: Issue, now: datetime) -> Rule | None:
    """The rule that tells of an issue now; None of one that is shown only, or is not there for long enough."""
    for rule in rules:
        if tells(rule, issue):
            return rule if (now - issue.since).total_seconds() >= rule.for_s else None
    return None


def waits_until(rules: Iterable[Rule], issues: Iterable[Issue], now: datetime) -> datetime | None:
    """When the next issue has been there for long enough to be told; None if none has to wait."""
    moments = [issue.since + timedelta(seconds=rule.for_s) for issue in issues for rule in rules if tells(rule, issue)]
    return min((moment for moment in moments if moment > now), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What decides when an alert is told. `told_members`, `told_severity`: as they were in the last message."""

    severity: HealthStatus
    members: int
    opened_at: datetime
    last_seen_at: datetime
    told_seq: int = 0
    told_at: datetime | None = None
    told_members: int = 0
    told_severity: HealthStatus | None = None
    acked: bool = False
    silenced: bool = False
    inhibited: bool = False
    flapping: bool = False


def tell_at(state: AlertState, repeat_s: float) -> datetime | None:
    """When the next message of a firing alert is due; None while there is nothing to tell."""
    if state.silenced or state.inhibited:
        return None
    if state.told_at is None:
        return state.opened_at + FORMING.get(state.severity, FORMING[WARNING])
    soonest = state.told_at + LEAST_BETWEEN
    worse = state.told_severity is not None and state.severity.rank > state.told_severity.rank
    if not state.flapping and (worse or state.members >= GROWN * max(1, state.told_members)):
        return soonest
    if state.acked:
        return max(soonest, state.told_at + timedelta(days=1))
    if state.severity is CRITICAL:
        return max(soonest, state.told_at + timedelta(seconds=repeat_s))
    return None


def closes_at(state: AlertState, resolve_after_s: float) -> datetime | None:
    """When an alert without members closes by itself; None while it has some."""
    if state.members:
        return None
    calm = CALM_AFTER if state.flapping else timedelta(seconds=resolve_after_s)
    return state.last_seen_at + calm


def told(state: AlertState, now: datetime) -> AlertState:
    """The state after a message."""
    return replace(
        state, told_seq=state.told_seq + 1, told_at=now, told_members=state.members, told_severity=state.severity
    )


def title(rule: str, saga_id: str, target: str, members: int, sentence: str) -> str:
    """The alert in one line: one run's sentence, or how many runs of what have the same trouble."""
    if members <= 1:
        return f"{saga_id}: {sentence}" if saga_id else sentence
    at = f" at {target}" if target and target not in sentence else ""
    return f"{members:,} runs of {saga_id or 'several sagas'}{at}: {sentence}"
