"""One pass: what has news and what is due is judged, and stored in small transactions."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.outages import AWAY, lost
from foundation.guarded import guarded
from foundation.telemetry import count, observe
from monitoring.alerting.grouping import regroup
from monitoring.alerting.telling import tell_and_close
from monitoring.core.enums import HealthStatus
from monitoring.core.health import AGAIN_MOST
from monitoring.core.matching import Armed, may_match_completed
from monitoring.metrics.runs import count_runs
from monitoring.models import RunHealth
from monitoring.recovery import policies
from monitoring.recovery.decide import decide
from monitoring.watch import loops
from monitoring.watch.collect import Away
from monitoring.watch.completed import store_completed
from monitoring.watch.judge import Judged, judge, store
from monitoring.watch.learn import learn
from monitoring.watch.news import MOST_AT_ONCE, is_urgent, news_to_take
from monitoring.watch.site import away
from orchestration.ledger.live_workers import OF_TEMPORAL
from orchestration.models import Command, News, Run, Worker

log = logging.getLogger("workflows")

IN_ONE_TRANSACTION = 100
MOST_BATCHES = 20
"""In one pass, so that it ends: what is left has its turn within the second."""

EVERY = timedelta(seconds=0.8)
REST, LONGEST_REST = 3.0, 1.0
"""After each batch three times as long as it took, a second at most: a pass never has a process to itself."""

LOST_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Done:
    """What a pass did. `judged`: runs; `lag`: seconds that the oldest of them was late; `more`: some were left."""

    judged: int = 0
    lag: float = 0.0
    more: bool = False


def watch() -> Done | None:
    """A pass, if it is this process's turn; None otherwise, or when monitoring is off."""
    if not settings.WORKFLOW_MONITORING_ENABLED or not loops.held(loops.WATCH, EVERY):
        return None
    with loops.turn(loops.WATCH) as one:
        done = sweep()
        tell_and_close()
        one.lag, one.detail = done.lag, {"judged": done.judged}
    observe("zen_watch_lag_seconds", done.lag)
    return done


def sweep(*, at_once: bool = False) -> Done:
    """Judge all that has news or is due, 10,000 runs at most. `at_once`: no news waits for others."""
    judged, lag = 0, 0.0
    _lost_workers()
    for _ in range(MOST_BATCHES):
        began = time.monotonic()
        news = news_to_take(all_of_it=at_once)
        due = _due(MOST_AT_ONCE - min(len(news), MOST_AT_ONCE - 1))
        if not news and not due:
            return Done(judged, lag)
        now = database_now()
        lag = max([lag, *(late(now, one.at) for one in news if is_urgent(one)), *(late(now, at) for _, at in due)])
        ids = list(dict.fromkeys([*(one.run_id for one in news), *(pk for pk, _ in due)]))
        judged += judge_and_store(ids, news)
        if not at_once:
            time.sleep(min(REST * (time.monotonic() - began), LONGEST_REST))
    return Done(judged, lag, more=True)


def take_news() -> int:
    """Judge the runs that have news, 500 rows at most; returns how many. Nothing while monitoring is off."""
    if not settings.WORKFLOW_MONITORING_ENABLED:
        return 0
    news = news_to_take(all_of_it=True)
    return judge_and_store(list(dict.fromkeys(one.run_id for one in news)), news) if news else 0


def late(now: datetime, due: datetime) -> float:
    """Seconds past a due time."""
    return max(0.0, (now - due).total_seconds())


def _due(most: int) -> list[tuple[int, datetime]]:
    found = RunHealth.objects.filter(look_at__lte=database_now()).order_by("look_at")
    return [(pk, at) for pk, at in found.values_list("pk", "look_at")[:most] if at is not None]


def _lost_workers() -> None:
    """Runs that a worker had in hand whose lease has lapsed within the last minute are due."""
    now = database_now()
    lost = Worker.objects.filter(lease_until__lt=now, lease_until__gt=now - LOST_WITHIN).values_list("name", flat=True)
    names = [name.removesuffix(OF_TEMPORAL) for name in lost]
    if not names:
        return
    held = Command.objects.filter(worker__in=names, status=Command.RUNNING).values_list("run_id", flat=True)
    ids = list(held[:MOST_AT_ONCE])
    RunHealth.objects.filter(pk__in=ids, checked_at__lt=now - timedelta(seconds=5)).update(look_at=now)


def judge_and_store(run_ids: Sequence[int], news: Sequence[News] = ()) -> int:
    """Judge these runs, and store it with the news taken that said so; returns how many there were."""
    found = 0
    by_run: dict[int, list[int]] = {}
    for one in news:
        by_run.setdefault(one.run_id, []).append(one.pk)
    in_force = policies.armed()
    plain = not may_match_completed(in_force)
    known = store_completed([one.run_id for one in news if one.kind == News.DONE]) if plain else set()
    if known:
        with statements.writing():
            News.objects.filter(pk__in=[pk for run_id in known for pk in by_run[run_id]]).delete()
        found += len(known)
    left = [pk for pk in run_ids if pk not in known]
    batch = _Batch(by_run, in_force, away() if left else {})
    for start in range(0, len(left), IN_ONE_TRANSACTION):
        found += batch.store(left[start : start + IN_ONE_TRANSACTION])
    count("zen_watch_assessed_total", found)
    return found


@dataclass(frozen=True, slots=True)
class _Batch:
    """`news`: of each run, the rows that are taken."""

    news: Mapping[int, Sequence[int]]
    in_force: Sequence[Armed]
    silent: Away

    def store(self, part: Sequence[int], *, again: bool = False) -> int:
        """Judge and store them; a run at which that breaks is found, and put off, so that it keeps no other waiting.

        `again`: once more, since another watcher may have been in the way.
        """

        def one_breaks(error: Exception) -> int:
            if isinstance(error, AWAY):
                raise error
            if len(part) == 1 and isinstance(error, DatabaseError) and not again:
                return self.store(part, again=True)
            if len(part) == 1:
                self._put_off(part[0], error)
                return 1
            return self.store(part[: len(part) // 2]) + self.store(part[len(part) // 2 :])

        return guarded(lambda: self._store(part), one_breaks)

    def _store(self, part: Sequence[int]) -> int:
        judged = judge(part, self.silent, armed=self.in_force)
        now = database_now()
        learnt = learn([one for one in judged if one.facts.run_id in self.news], now)
        with statements.writing():
            latest = store(judged)  # what another has judged later tells nothing and decides nothing any more
            statements.run(*learnt)
            count_runs([one.facts.run_id for one in latest])
            regroup([(one.facts, one.health) for one in latest], now)
            _decide(latest, self.in_force, now)
            self._forget_news(part)
            _tell_parents(latest, now)
        gone = set(part) - {one.facts.run_id for one in judged}
        if gone:
            RunHealth.objects.filter(pk__in=gone).delete()
        _log(latest)
        return len(judged)

    def _put_off(self, pk: int, error: Exception) -> None:
        """Nobody knows how it does: that is shown, and it is tried again in a while."""
        log.error("the health of run %s cannot be told", pk, exc_info=error)
        now = database_now()
        with statements.writing():
            run = Run.objects.filter(pk=pk).select_related("definition").first()
            if run is not None:
                unknown = {
                    "status": HealthStatus.UNKNOWN.value, "issues": [], "target": "", "since": now, "checked_at": now,
                    "matched": {}, "look_at": now + AGAIN_MOST, "version": run.version,
                    "ended": run.finished_at is not None,
                }  # fmt: skip
                about = {"kind": run.kind, "saga_id": run.definition.saga_id, "engine": run.engine}
                RunHealth.objects.update_or_create(pk=pk, defaults=unknown, create_defaults=unknown | about)
            self._forget_news([pk])

    def _forget_news(self, part: Sequence[int]) -> None:
        News.objects.filter(pk__in=[pk for run_id in part for pk in self.news.get(run_id, ())]).delete()


def _decide(judged: Sequence[Judged], in_force: Sequence[Armed], now: datetime) -> None:
    """What is done about these runs; whatever fails in it, their health is stored, and the others have their turn."""

    def all_at_once() -> None:
        with transaction.atomic():
            decide([one.candidate for one in judged], in_force, now)

    def one_by_one(error: Exception) -> None:
        if lost(error):
            raise error
        if len(judged) == 1:
            log.error("recovery could not decide about %s", judged[0].facts.workflow_id, exc_info=error)
            return
        for one in judged:
            _decide([one], in_force, now)

    guarded(all_at_once, one_by_one)


def _tell_parents(judged: Sequence[Judged], now: datetime) -> None:
    """What is wrong below a run is wrong with the run."""
    below = [one.facts.run_id for one in judged if one.changed and one.facts.parent]
    if below:
        parents = Run.objects.filter(pk__in=below).values_list("parent_id", flat=True)
        RunHealth.objects.filter(pk__in=list(parents), ended=False).update(look_at=now)


def _log(judged: Sequence[Judged]) -> None:
    for one in judged:
        if one.changed:
            told = one.health.sentence
            log.debug("%s is %s%s", one.facts.workflow_id, one.health.status, f": {told}" if told else "")
