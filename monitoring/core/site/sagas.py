"""What is wrong with a saga as a whole: too many of its runs do not complete, or it is started no more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.core import durations
from monitoring.core.alerting import SAGA, Rule
from monitoring.core.enums import HealthStatus
from monitoring.core.health import Issue, Recommendation

WINDOW, USUAL_OVER = timedelta(minutes=15), timedelta(days=7)
RUNS_LEAST, FAILED_LEAST, KNOWN_LEAST = 10, 3, 100
"""Ended within the window, of them not completed, and ended within a week for its usual share to be known."""

SHARE, TIMES, AT_LEAST, MORE = 0.3, 3.0, 0.05, 1.5
SILENT_TIMES, SILENT_LEAST = 5.0, timedelta(minutes=15)
HOURS = 168

SAGA_RULES: tuple[Rule, ...] = (
    Rule(
        name="saga_failing", source=SAGA, severity=HealthStatus.CRITICAL, resolve_after_s=180,
        codes={"saga_failing": HealthStatus.CRITICAL},
    ),
    Rule(
        name="saga_silent", source=SAGA, severity=HealthStatus.WARNING, resolve_after_s=180,
        codes={"saga_silent": HealthStatus.WARNING},
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Runs that ended within a stretch of time, and those of them that did not complete."""

    runs: float = 0.0
    failed: float = 0.0

    @property
    def share(self) -> float:
        """Of those that did not complete; 0 of none."""
        return self.failed / self.runs if self.runs else 0.0


def failing(saga_id: str, lately: Ended, usually: Ended, now: datetime) -> Issue | None:
    """Too many did not complete: of at least ten within the window, more than the saga's bound (`bound`)."""
    if lately.runs < RUNS_LEAST or lately.failed < FAILED_LEAST or lately.share < bound(usually):
        return None
    usual = f"; usually {100 * usually.share:.2g} %" if usually.runs >= KNOWN_LEAST else ""
    text = (
        f"{lately.failed:.0f} of {lately.runs:.0f} runs of {saga_id} that ended within 15 min did not complete "
        f"({100 * lately.share:.0f} %{usual})"
    )
    return _issue("saga_failing", saga_id, text, now, "see what they failed of: the runs of the saga, the latest first")


def bound(usually: Ended) -> float:
    """The share from which on a saga is failing: 30 %, where its usual share is known three times that.

    But at least 5 %, and of a saga that often does not complete half as much again as usual.
    """
    if usually.runs < KNOWN_LEAST:
        return SHARE
    return min(max(TIMES * usually.share, AT_LEAST), max(SHARE, MORE * usually.share))


def silent(saga_id: str, by_hour: Sequence[float], last: datetime | None, now: datetime) -> Issue | None:
    """Nothing started for five times its usual gap, of a saga that was started in each hour of the week before.

    `by_hour`: starts in each of the last 168 whole hours, oldest first. `last`: the last start, where it is known.
    """
    usual = gap(by_hour)
    if usual is None or last is None:
        return None
    if now - last < max(SILENT_TIMES * usual, SILENT_LEAST):
        return None
    words = durations.in_words(usual.total_seconds())
    text = (
        f"no run of {saga_id} was started for {durations.since(last, now)}; in the week before, each {words} or sooner"
    )
    return _issue("saga_silent", saga_id, text, last, "see whether what starts it still runs")


def gap(by_hour: Sequence[float]) -> timedelta | None:
    """What is usual between two starts, by the hour with the fewest; None unless it was started in (nearly) each hour.

    The hours at the end in which nothing was started are the silence itself, and are left out.
    """
    hours = list(by_hour)
    while hours and not hours[-1]:
        hours.pop()
    if len(hours) < HOURS - 24 or any(not starts for starts in hours):
        return None
    return timedelta(hours=1) / min(hours)


def _issue(code: str, saga_id: str, text: str, since: datetime, remedy: str) -> Issue:
    severity = HealthStatus.CRITICAL if code == "saga_failing" else HealthStatus.WARNING
    return Issue(
        code=code, severity=severity, sentence=text, since=since, target=f"saga:{saga_id}"[:100],
        act=Recommendation(text=remedy),
    )  # fmt: skip
