"""Counting: nothing is lost, counted twice, or without a bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.telemetry import Values, count, metrics, observe, take
from foundation.telemetry.metrics import DROPPED, LEAST, bucket_of
from tests.support.forked import forked


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    take()
    yield
    take()


def test_what_is_counted_is_there_once_by_its_labels_in_any_order() -> None:
    count("zen_x_total", engine="celery", outcome="failed")
    count("zen_x_total", 2, outcome="failed", engine="celery")
    count("zen_x_total", engine="temporal", outcome="failed")
    counted = {labels: values.count for (_, labels), values in take().items()}
    assert counted == {
        (("engine", "celery"), ("outcome", "failed")): 3,
        (("engine", "temporal"), ("outcome", "failed")): 1,
    }
    assert take() == {}


def test_a_distribution_has_number_sum_and_buckets() -> None:
    for seconds in (0.5, 0.5, 3.0, 0.0):
        observe("zen_x_seconds", seconds)
    (values,) = take().values()
    assert values == Values(4, 4.0, {-4: 2, bucket_of(3.0): 1, bucket_of(0.0): 1})


@given(st.floats(LEAST, 2.0**40))
def test_a_value_is_in_the_bucket_that_ends_next_above_it(value: float) -> None:
    number = bucket_of(value)
    assert 2 ** ((number - 1) / 4) < value * (1 + 1e-9) and value <= 2 ** (number / 4) * (1 + 1e-9)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, pytest.param(10**400, id="beyond every float")])
@pytest.mark.parametrize("add", [count, observe])
def test_what_is_no_number_is_dropped_and_that_is_counted(add: Callable[[str, float], None], value: float) -> None:
    add("zen_x_total", value)
    add("zen_x_total", 1.5)
    values = take()
    assert values.pop((DROPPED, ())) == Values(1) and len(values) == 1
    assert math.isfinite(values["zen_x_total", ()].count)


@pytest.mark.servers  # processes of its own
def test_a_child_begins_with_nothing_whatever_the_other_threads_of_its_parent_held() -> None:
    done = forked(
        "from foundation.telemetry import count, metrics, take",
        before="count('zen_parent_total')",
        hold="metrics._lock.acquire()",
        child="count('zen_child_total'); assert [name for name, _ in take()] == ['zen_child_total']",
    )
    assert done.returncode == 0, done.stderr


def test_series_are_bounded_and_what_is_beyond_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_SERIES", 2)
    for number in range(5):
        count("zen_x_total", kind=str(number))
    observe("zen_x_seconds", 1.0)
    count("zen_x_total", kind="0")
    taken = take()
    assert taken[DROPPED, ()].count == 4 and len(taken) == 3
    assert taken["zen_x_total", (("kind", "0"),)].count == 2


def test_threads_lose_nothing_while_it_is_taken() -> None:
    def work(_: int) -> None:
        for _ in range(2000):
            count("zen_x_total")

    total = 0.0
    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(work, number) for number in range(4)]
        while not all(one.done() for one in done):
            total += sum(values.count for values in take().values())
    assert total + sum(values.count for values in take().values()) == 8000
