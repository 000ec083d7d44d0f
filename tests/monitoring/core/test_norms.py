"""What is usual is learnt from the past, halves in weight each week, and says from when on something is slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.norms import NONE, WEEK, Norm, Sketch, slow
from tests.support.examples import examples


@examples(200)
@given(st.lists(st.floats(0.01, 100_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_right_to_a_fifth(values: list[float], share: float) -> None:
    found = Sketch().with_values(values, age=0).quantile(share)
    exact = sorted(values)[min(len(values) - 1, max(0, -int(-share * len(values) // 1) - 1))]
    assert found is not None and exact <= found * 1.0001 and found <= exact * 2**0.25 * 1.0001


def test_a_week_halves_what_is_known() -> None:
    sketch = Sketch().with_values([1.0] * 100, age=0).with_values([], age=WEEK)
    assert sketch.weight == pytest.approx(50)
    assert Sketch().with_values([1.0], age=0).with_values([], age=60 * WEEK).weight == 0


def test_what_has_changed_is_believed_within_weeks() -> None:
    sketch = Sketch().with_values([10.0] * 100, age=0)
    for _ in range(6):
        sketch = sketch.with_values([100.0] * 100, age=WEEK)
    assert sketch.quantile(0.5) == pytest.approx(100, rel=0.2)


def test_nothing_has_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None


@pytest.mark.parametrize(
    ("norm", "timeout", "seconds"),
    [
        (Norm(n=20, p95=1.0), None, 60),
        (Norm(n=20, p95=25.0), None, 75),
        (Norm(n=20, p95=14.0), None, 60),
        (Norm(n=500, p95=240.0), 100.0, 720),
        (Norm(n=19, p95=240.0), 100.0, 80),
        (NONE, 600.0, 480),
        (NONE, None, 3600),
    ],
)
def test_the_bound_of_what_is_slow(norm: Norm, timeout: float | None, seconds: float) -> None:
    assert slow(norm, timeout, "").seconds == seconds
