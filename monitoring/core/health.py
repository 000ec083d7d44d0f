"""How a run does: the issues that are there at a moment, and the first moment at which that may change by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.core.enums import HealthStatus, RecoveryAction

LATEST = timedelta(hours=1)
MOST_ISSUES = 20

CLEARING = frozenset(
    {
        "retrying", "slow_step", "overdue_step", "worker_lost", "not_taken", "timer_overdue", "not_handed_over",
        "act_undelivered", "stalled", "overlong", "deadline_near", "error_rate_high", "engine_away", "child_in_trouble",
    }
)  # fmt: skip
"""Codes of issues that go away when the run moves on, of which nothing is told: such a run is looked at again soon."""

AGAIN_LEAST, AGAIN_MOST, AGAIN_SHARE = timedelta(seconds=15), timedelta(seconds=300), 0.1
"""How soon: after a tenth of the time that the issue is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do: the `action` in recovery's words, the act's `verb` and step where it is one, and a sentence."""

    action: RecoveryAction | None = None
    verb: str = ""
    step_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something is wrong. `sentence`: what, with its number and bound; `since`: from when on (aware UTC).

    `target`: the host, handler or `saga:step` that it concerns; `error_fp`: of the error (core.errors.fingerprint).
    """

    code: str
    severity: HealthStatus
    sentence: str
    step_id: str = ""
    since: datetime
    target: str = ""
    error_fp: str = ""
    error_class: str = ""
    act: Recommendation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`look_at`: when to judge again if nothing happens before; None: never."""

    status: HealthStatus
    issues: tuple[Issue, ...] = ()
    look_at: datetime | None = None

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What to do about the issues, worst first, each once."""
        return tuple(dict.fromkeys(issue.act.text for issue in self.issues if issue.act and issue.act.text))

    @property
    def sentence(self) -> str:
        """The worst issue; '' when there is none."""
        return self.issues[0].sentence if self.issues else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """An issue that is there, or will be at a known moment if nothing happens before.

    `steps`: from which moments on it has which severity, in any order. `say`: its sentence at a moment.
    """

    code: str
    steps: Sequence[tuple[datetime, HealthStatus]]
    say: Callable[[datetime], str]
    step_id: str = ""
    since: datetime | None = None
    target: str = ""
    error_fp: str = ""
    error_class: str = ""
    act: Recommendation | None = None

    def at(self, now: datetime) -> Issue | None:
        """The issue as it is at a moment; None while it is not there."""
        reached = [(moment, severity) for moment, severity in self.steps if moment <= now]
        if not reached:
            return None
        reached.sort(key=lambda step: (step[0], step[1].rank))
        return Issue(
            code=self.code, severity=reached[-1][1], sentence=self.say(now), step_id=self.step_id,
            since=min(self.since or reached[0][0], now), target=self.target, error_fp=self.error_fp,
            error_class=self.error_class, act=self.act,
        )  # fmt: skip

    def next_after(self, now: datetime) -> datetime | None:
        """The first moment after `now` at which it changes by itself."""
        return min((moment for moment, _ in self.steps if moment > now), default=None)


def judged(found: Iterable[Possible], now: datetime, *, unknown: bool = False) -> Health:
    """The health at a moment, from all that may be wrong."""
    possible = list(found)
    issues = sorted(
        (issue for one in possible if (issue := one.at(now)) is not None),
        key=lambda issue: (-issue.severity.rank, issue.since, issue.code, issue.step_id),
    )
    moments = [moment for one in possible if (moment := one.next_after(now)) is not None]
    moments += [
        now + min(max(AGAIN_SHARE * (now - issue.since), AGAIN_LEAST), AGAIN_MOST)
        for issue in issues
        if issue.code in CLEARING
    ]
    look_at = min(min(moments), now + LATEST) if moments else None
    worst = max((issue.severity for issue in issues), key=lambda one: one.rank, default=HealthStatus.HEALTHY)
    status = HealthStatus.UNKNOWN if unknown and worst is not HealthStatus.CRITICAL else worst
    return Health(status=status, issues=tuple(issues[:MOST_ISSUES]), look_at=look_at)
