"""Random plans for the property tests."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from orchestration.core.enums import Outcome
from orchestration.core.saga.plan import Plan
from tests.orchestration.core.saga_world import make_plan

OUTCOMES = [Outcome.SUCCEEDED] * 6 + [Outcome.FAILED, Outcome.RETRYABLE, Outcome.UNKNOWN]


@st.composite
def plans(draw: st.DrawFn, *, pivots: bool = False, waits: bool = True) -> Plan:
    """Up to eight steps in random order, with random dependencies and properties."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, 8)))]
    steps = {s: tuple(draw(st.sets(st.sampled_from(ids[:n])))) if n else () for n, s in enumerate(ids)}
    pivot = draw(st.sampled_from(ids)) if pivots else ""
    details: dict[str, dict[str, Any]] = {}
    for step_id in ids:
        details[step_id] = {
            "critical": step_id == pivot or draw(st.booleans()),
            "pivot": step_id == pivot,
            "has_undo": step_id != pivot and draw(st.booleans()),
            "has_default": draw(st.booleans()),
            "retry_count": draw(st.integers(0, 2)),
            "compensation_retry_count": draw(st.integers(0, 2)),
            "wait_seconds": 5.0 if waits and step_id != pivot and draw(st.integers(0, 9)) == 0 else None,
            "finds_out": waits and draw(st.integers(0, 9)) == 0,
            "gated": draw(st.integers(0, 4)) == 0,
            "needs": frozenset(steps[step_id][:1]) if draw(st.booleans()) else frozenset(),
        }
    return make_plan(
        steps,
        max_parallel=draw(st.sampled_from([1, 2, 3, 100])),
        timeout=draw(st.sampled_from([None, None, 3.0])),
        order=draw(st.sampled_from(["parallel", "sequential"])),
        second_chances=draw(st.sampled_from([(), (), (1.0, 4.0)])),
        **details,
    )


def seeds() -> st.SearchStrategy[Random]:
    return st.integers(0, 2**32).map(Random)
