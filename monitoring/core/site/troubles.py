"""What may be wrong with the whole site, as issues in words: who is missing, what is away, what waits and for how long.

Pure. The functions of `monitoring.probes` read what these need, in queries whose cost does not grow with the site. Each
issue has a code of `CODES`, which is also the name of the alert rule that tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.core import durations
from monitoring.core.enums import HealthStatus
from monitoring.core.health import Issue, Recommendation

WARNING, CRITICAL = HealthStatus.WARNING, HealthStatus.CRITICAL

CODES: dict[str, HealthStatus] = {
    "no_worker": CRITICAL, "engine_unreachable": CRITICAL, "broker_down": WARNING, "queue_behind": WARNING,
    "relay_behind": WARNING, "notices_undelivered": WARNING, "callbacks_dead": WARNING, "monitoring_behind": WARNING,
    "clock_skew": WARNING, "disk_low": WARNING, "seal_missing": WARNING, "audit_unprotected": CRITICAL,
    "prune_behind": WARNING, "agent_out_of_service": WARNING,
}  # fmt: skip
"""Each detector, with the least severity of what it finds."""

MOST_COUNTED = 1000
"""What waits is counted up to here: a larger number says no more."""

ABSENT = timedelta(seconds=15)
"""A worker that is restarted is away for less."""

LATE, VERY_LATE = timedelta(seconds=60), timedelta(seconds=300)
STORED = timedelta(seconds=30)
NOT_SENT = timedelta(seconds=120)
BEHIND, FAR_BEHIND = timedelta(seconds=60), timedelta(seconds=300)
MOST_SKEW = 2.0
"""Seconds between a worker's clock and the database's; leases and timers go by the latter."""

SEALED_WITHIN = timedelta(hours=26)
PRUNED_WITHIN = timedelta(days=2)
GIB = 1024**3
LITTLE, VERY_LITTLE = 1.0 * GIB, 0.25 * GIB
LOW_SHARE, LOW_BELOW = 0.05, 10.0 * GIB
"""Free space is low below LITTLE bytes, or below this share of the disk where that is below LOW_BELOW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Things that wait: how many (MOST_COUNTED at most), since when the oldest does, and what they are called."""

    count: int = 0
    oldest: datetime | None = None
    one: str = "step"
    many: str = "steps"

    @property
    def words(self) -> str:
        """Such as `12 steps`; '' of none."""
        more = " or more" if self.count >= MOST_COUNTED else ""
        return f"{self.count:,}{more} {self.one if self.count == 1 else self.many}" if self.count else ""


def found(
    code: str, sentence: str, since: datetime, *, remedy: str, target: str = "", severity: HealthStatus | None = None
) -> Issue:
    """An issue of the site; `severity`: the code's least one unless given; `remedy`: what to do."""
    return Issue(
        code=code, severity=severity or CODES[code], sentence=sentence, since=since, target=target[:100],
        act=Recommendation(text=remedy),
    )  # fmt: skip


def no_worker(engine: str, waiting: Sequence[Waiting], start: str, now: datetime) -> Issue | None:
    """Nobody performs what waits. Call it for an engine without a living worker; `start`: the command that mends it."""
    moments = [one.oldest for one in waiting if one.oldest is not None]
    if not moments or now - min(moments) < ABSENT:
        return None
    oldest = min(moments)
    words = [one.words for one in waiting if one.words]
    verb = "waits" if len(words) == 1 and words[0].startswith("1 ") else "wait"
    since = durations.since(oldest, now)
    text = f"no {engine} worker is alive: {', '.join(words)} {verb}, the oldest for {since}; start one: {start}"
    return found("no_worker", text, oldest, target=f"engine:{engine}", remedy=f"start one: {start}")


def engine_unreachable(
    engine: str, since: datetime, why: str, remedy: str, *, runs: Waiting, acts: Waiting
) -> Issue:  # fmt: skip
    """The engine's server does not answer: what waits for it."""
    held = [f"{runs.words} {'waits' if runs.count == 1 else 'wait'}"] if runs.count else []
    held += [f"{acts.words} {'is' if acts.count == 1 else 'are'} stored"] if acts.count else []
    told = f"; {', '.join(held)}" if held else ""
    text = f"{engine.capitalize()} does not answer since {durations.clock(since)} ({why}){told}"
    return found("engine_unreachable", text, since, target=f"engine:{engine}", remedy=remedy or "start its server")


def queue_behind(engine: str, queue: str, threads: int, waiting: Waiting, now: datetime) -> Issue | None:
    """A queue that workers serve, and whose attempts wait for a thread."""
    if waiting.oldest is None or now - waiting.oldest < LATE:
        return None
    busy = "its one thread is" if threads == 1 else f"all {threads} threads are"
    age = durations.since(waiting.oldest, now)
    text = f"the queue '{queue}' of {engine} is {age} behind: {waiting.words} wait, and {busy} busy"
    severity = CRITICAL if now - waiting.oldest >= VERY_LATE else WARNING
    remedy = "add workers, or give them more threads (ZEN_WORKER_QUEUES)"
    return found("queue_behind", text, waiting.oldest, target=f"queue:{queue}", remedy=remedy, severity=severity)


def relay_behind(engine: str, waiting: Sequence[Waiting], now: datetime) -> Issue | None:
    """What is stored and not handed over, though the engine answers and a worker is there."""
    moments = [one.oldest for one in waiting if one.oldest is not None]
    if not moments or now - min(moments) < STORED:
        return None
    words = ", ".join(one.words for one in waiting if one.words)
    text = f"{words} of {engine} not handed over, the oldest for {durations.since(min(moments), now)}"
    severity = CRITICAL if now - min(moments) >= VERY_LATE else WARNING
    remedy = "see the log of its workers; they try again by themselves"
    return found("relay_behind", text, min(moments), target=f"engine:{engine}", remedy=remedy, severity=severity)


def not_sent(waiting: Waiting, now: datetime) -> Issue | None:
    """Notices that are due and that nobody sends."""
    if waiting.oldest is None or now - waiting.oldest < NOT_SENT:
        return None
    age = durations.since(waiting.oldest, now)
    text = f"{waiting.words} should have been sent, the oldest {age} ago"
    remedy = "start a celery worker, which sends them; see its log where one runs"
    return found("notices_undelivered", text, waiting.oldest, remedy=remedy)


def monitoring_behind(last: datetime | None, lag: float, news: Waiting, now: datetime) -> Issue | None:
    """Nobody watches, or who does has more to do than it can. `lag`: seconds, of the last pass."""
    since = last or news.oldest
    if since is not None and now - since >= BEHIND:
        severity = CRITICAL if now - since >= FAR_BEHIND else WARNING
        text = f"nobody watches the runs since {durations.clock(since)}: what is shown of them is as old"
        remedy = "start a worker, or `manage.py monitor watch`"
        return found("monitoring_behind", text, since, remedy=remedy, severity=severity)
    if lag >= BEHIND.total_seconds():
        text = f"the watch is {durations.in_words(lag)} behind: what is shown of runs is as old"
        remedy = "add a worker: any one may watch"
        return found("monitoring_behind", text, now - timedelta(seconds=lag), remedy=remedy)
    return None


def clock_skew(worker: str, seconds: float, now: datetime) -> Issue | None:
    """A worker's clock against the database's; `seconds`: ahead of it."""
    if abs(seconds) <= MOST_SKEW:
        return None
    way = "ahead of" if seconds > 0 else "behind"
    text = f"the clock of worker {worker} is {abs(seconds):.1f} s {way} the database's"
    return found("clock_skew", text, now, target=f"worker:{worker}", remedy="set the clock of its machine (NTP)")


def disk_low(path: str, free: float, total: float, now: datetime) -> Issue | None:
    """Little is left of a disk that we write to; bytes."""
    little = free < LITTLE or (free < LOW_SHARE * total and free < LOW_BELOW)
    if not little:
        return None
    text = f"{free / GIB:.1f} GiB are left on the disk of {path} ({100 * free / total:.0f} % of {total / GIB:.0f} GiB)"
    severity = CRITICAL if free < VERY_LITTLE else WARNING
    return found("disk_low", text, now, target=f"disk:{path}", remedy="make room there", severity=severity)


def seal_missing(last: datetime | None, first_row: datetime | None, now: datetime) -> Issue | None:
    """The audit is sealed each day; `first_row`: when its first row was written, None of an empty one."""
    since = last or first_row
    if first_row is None or since is None or now - since < SEALED_WITHIN:
        return None
    what = f"the last seal of the audit is {durations.since(since, now)} old" if last else "the audit was never sealed"
    text = f"{what}: a tail that was cut off since would not be found"
    remedy = "start a celery worker, which seals each day, or `manage.py audit seal`"
    return found("seal_missing", text, since, remedy=remedy)


def audit_unprotected(missing: Sequence[str], now: datetime) -> Issue | None:
    """Triggers that refuse changes of what the audit holds and are not there."""
    if not missing:
        return None
    text = f"the database does not refuse changes of the audit: the trigger {missing[0]} is missing or off"
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    remedy = (
        "`manage.py audit verify` tells what was changed meanwhile; put the trigger on again (docs/reference/audit.md)"
    )
    return found("audit_unprotected", text + more, now, remedy=remedy)


def prune_behind(lag: float, now: datetime) -> Issue | None:
    """What should have been removed by its age, and is there; `lag`: seconds past its time."""
    if lag < PRUNED_WITHIN.total_seconds():
        return None
    text = f"pruning is {durations.in_words(lag)} behind: the database keeps what it should have removed"
    remedy = "`manage.py prune`; a worker prunes each hour while ZEN_PRUNE is on"
    return found("prune_behind", text, now - timedelta(seconds=lag), remedy=remedy)
