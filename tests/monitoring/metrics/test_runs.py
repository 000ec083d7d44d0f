"""A run is counted once when it has begun and once when it has ended, in the transaction of its health."""

from __future__ import annotations

from unittest import mock

import pytest

from foundation import telemetry
from foundation.clock import now
from monitoring.metrics import fold
from monitoring.models import Norm, RunHealth, Series
from monitoring.queries.series import series, series_by
from monitoring.watch import completed, metrics, sweep
from monitoring.watch.completed import store_completed
from orchestration.models import Run
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
NOTHING = {"type": "task", "handler": "zen.nothing"}


def total(name: str) -> float:
    return sum(point.count for point in series(name, {}, None, None, "m"))


def counted() -> tuple[float, float, float]:
    """Begun, ended, and with a duration."""
    return total("zen_runs_started_total"), total("zen_runs_ended_total"), total("zen_run_duration_seconds")


def test_each_run_is_counted_once_however_often_it_is_judged() -> None:
    lasting, failed = begun(step("a", LONG)), begun(step("a", BAD))
    sweep.sweep(at_once=True)
    assert counted() == (2, 1, 1)
    sweep.judge_and_store([lasting.pk, failed.pk])
    fold.fold_all()
    assert counted() == (2, 1, 1)
    by = series_by("zen_runs_ended_total", "status", {"saga_id": "s", "engine": "celery"}, None, None, "h")
    assert list(by) == ["rolled_back"]


def test_runs_that_are_stored_together_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completed, "ONE_IN", 10**9)  # so that it is not the one that is left for learning
    Norm.objects.create(saga_id="s", n=500, updated_at=now())
    run = begun(step("a", LONG))
    Run.objects.filter(pk=run.pk).update(status="completed", finished_at=run.created_at)
    before = counted()
    with (
        mock.patch("monitoring.watch.completed.count_runs", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        store_completed([run.pk])
    assert not RunHealth.objects.filter(pk=run.pk).exists() and counted() == before
    assert store_completed([run.pk]) == {run.pk}
    assert counted() == tuple(one + 1 for one in before)


def test_gauges_whose_course_is_shown_are_noted_each_minute() -> None:
    begun(step("a", LONG))
    telemetry.take()
    assert metrics.keep() == 0 and metrics.keep() is None
    noted = {name: values for (name, _), values in telemetry.take().items()}
    assert noted["zen_runs_open"].total == 1 and noted["zen_oldest_ready_seconds"].total == 0
    assert not Series.objects.exists()
