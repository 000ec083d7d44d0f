"""What processes measure is added up once, within bounds, and read as a course."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from foundation import telemetry
from foundation.clock import database_now
from foundation.errors import BadInput
from foundation.telemetry import Values, count, observe
from monitoring.metrics import fold, store
from monitoring.models import Point, Series
from monitoring.queries.series import series, series_by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
ENDED = "zen_runs_ended_total"


@pytest.fixture(autouse=True)
def _nothing_measured() -> None:
    telemetry.take()


def bring(number: float = 1, **labels: str) -> None:
    count(ENDED, number, **labels)
    store.add(telemetry.take())


def total(name: str = ENDED, **labels: str) -> float:
    return sum(point.count for point in series(name, labels, None, None, "m"))


def test_what_is_brought_is_seen_at_once_and_once_it_is_added_up() -> None:
    bring(2, saga_id="a", status="completed")
    bring(3, saga_id="b", status="completed")
    assert (total(), total(saga_id="a")) == (5, 2)
    assert fold.fold_all() == 2
    for step in "mhd":
        assert sum(point.count for point in series(ENDED, {}, None, None, step)) == 5
    bring(1, saga_id="a", status="failed")
    assert total(saga_id="a") == 3
    assert fold.fold_all() == 1 and fold.fold_all() == 0
    assert Point.objects.get(res=Point.ALL, series__labels__saga_id="a", series__labels__status="completed").count == 2
    by = series_by(ENDED, "status", {}, None, None, "h")
    assert {status: sum(one.count for one in points) for status, points in by.items()} == {"completed": 5, "failed": 1}


def test_percentiles_are_told_to_a_fifth() -> None:
    for value in range(1, 101):
        observe("zen_run_duration_seconds", value / 10, kind="saga", saga_id="a")
    store.add(telemetry.take())
    fold.fold_all()
    point = series("zen_run_duration_seconds", {"saga_id": "a"}, None, None, "h")[-1]
    assert point.count == 100 and point.mean == pytest.approx(5.05)
    assert point.quantile(0.5) == pytest.approx(5, rel=0.2) and point.quantile(0.95) == pytest.approx(9.5, rel=0.2)


def test_a_metric_has_no_more_values_of_a_label_than_its_bound(settings: Settings) -> None:
    for number in range(203):
        count(ENDED, saga_id=f"s{number}")
    store.add(telemetry.take())
    assert Series.objects.filter(name=ENDED).count() == 201
    assert total(saga_id="other") == 3 and total() == 203
    settings.ZEN_METRIC_SERIES_MOST = 201
    bring(saga_id="new")
    assert total(saga_id="other") == 4
    count("zen_http_requests_total", method="GET")
    store.add(telemetry.take())
    assert telemetry.take() == {("zen_metrics_dropped_total", ()): Values(1)}


def test_two_who_add_up_at_once_count_nothing_twice() -> None:
    for number in range(40):
        bring(saga_id=f"s{number % 3}")
    threads = [threading.Thread(target=_fold_and_close) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total() == 40
    assert sum(Point.objects.filter(res=Point.ALL).values_list("count", flat=True)) == 40


def _fold_and_close() -> None:
    fold.fold_all()
    connection.close()


def test_what_is_too_old_goes_and_the_sum_of_all_stays() -> None:
    bring(7, saga_id="a")
    fold.fold_all()
    Point.objects.filter(res=Point.MINUTE).update(at=database_now() - timedelta(days=2))
    Point.objects.filter(res=Point.HOUR).update(at=database_now() - timedelta(days=31))
    assert fold.remove_old() == 2
    assert set(Point.objects.values_list("res", "count")) == {(Point.DAY, 7), (Point.ALL, 7)}


def test_a_label_s_value_of_which_nothing_came_for_a_month_leaves_its_place() -> None:
    for number in range(200):
        count(ENDED, saga_id=f"junk{number}")
    store.add(telemetry.take())
    bring(saga_id="late")
    assert total(saga_id="late") == 0
    fold.fold_all()
    Point.objects.exclude(res__in=(Point.DAY, Point.ALL)).delete()
    bring(saga_id="good")
    assert total(saga_id="good") == 1


def test_a_series_of_which_only_the_sum_is_left_goes() -> None:
    bring(1, saga_id="old")
    bring(2, saga_id="lately")
    fold.fold_all()
    bring(1, saga_id="now")
    Point.objects.filter(series__labels__saga_id="old").exclude(res=Point.ALL).delete()
    assert fold.remove_old() == 1 and fold.remove_old() == 0
    assert {row["saga_id"] for row in Series.objects.values_list("labels", flat=True)} == {"lately", "now"}


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"name": "zen_runs_endet_total"}, "name", "zen_runs_ended_total"),
        ({"name": "zen_build_info"}, "name", "zen_runs_open"),
        ({"labels": {"sage_id": "a"}}, "sage_id", "saga_id"),
        ({"step": "w"}, "step", "m, h, d"),
        ({"start": timedelta(days=3), "step": "m"}, "from", "longer step"),
        ({"start": timedelta(days=-1)}, "from", "before"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_can(given: dict[str, Any], field: str, told: str) -> None:
    start = database_now() - given["start"] if "start" in given else None
    with pytest.raises(BadInput) as error:
        series(given.get("name", ENDED), given.get("labels", {}), start, None, given.get("step", "h"))
    assert error.value.field == field and told in error.value.remedy
