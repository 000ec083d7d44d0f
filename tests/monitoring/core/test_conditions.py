"""A condition says what it means, refuses what it cannot mean, and knows when its answer changes by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import BadInput
from monitoring.core.conditions import METRICS, Line, Metrics, cautions, could_match, matches, next_change, parse, why
from monitoring.core.detectors import assess
from monitoring.core.metrics import metrics
from monitoring.core.norms import Norms
from tests.monitoring.core.cases import NOON, ago, any_facts, facts, trouble
from tests.support.examples import examples

SEED = {"execution_time_hours": {">=": 4}, "error_rate": {">=": 0.3}}


def figures(lines: Mapping[str, Sequence[Line]] | None = None, **values: Any) -> Metrics:
    return Metrics(NOON, values, lines or {}).at(NOON)


@pytest.mark.parametrize(
    ("written", "values", "answer"),
    [
        (SEED, {"execution_time_hours": 4.0, "error_rate": 0.3}, True),
        (SEED, {"execution_time_hours": 4.0, "error_rate": 0.29}, False),
        (SEED, {"execution_time_hours": 4.0, "error_rate": None}, None),
        (SEED, {"execution_time_hours": 3.0, "error_rate": None}, False),
        ({"not": {"error_rate": {">": 0}}}, {"error_rate": None}, None),
        ({"any": [{"error_rate": {">": 0}}, {"attempts": {">": 3}}]}, {"error_rate": None, "attempts": 4}, True),
        ({"any": [{"error_rate": {">": 0}}, {"attempts": {">": 3}}]}, {"error_rate": None, "attempts": 3}, None),
        ({"all": [{"attempts": {"<": 3}}, {"status": {"!=": "held"}}]}, {"attempts": 2, "status": "running"}, True),
        ({"issue": {"==": "stalled"}}, {"issue": frozenset({"stalled", "overlong"})}, True),
        ({"issue": {"in": ["looping", "overlong"]}}, {"issue": frozenset({"stalled"})}, False),
        ({"issue": {"not_in": ["looping"]}}, {"issue": frozenset({"stalled"})}, True),
        ({"error_class": {"in": ["http_5xx", "timeout"]}}, {"error_class": "http_5xx"}, True),
        ({"error": {"contains": "Refused"}}, {"error": "connection refused"}, True),
        ({"health": {">=": "warning"}}, {"health": "critical"}, True),
        ({"health": {">=": "warning"}}, {"health": "healthy"}, False),
    ],
)
def test_answer_is_true_false_or_unknown(written: Any, values: dict[str, Any], answer: bool | None) -> None:
    assert matches(parse(written), figures(**values)) is answer


@pytest.mark.parametrize(
    ("written", "field", "says"),
    [
        ({"eror_rate": {">=": 0.3}}, "conditions.eror_rate", "did you mean 'error_rate'?"),
        ({"error_rate": {"=>": 0.3}}, "conditions.error_rate", "one of: >= > <= < == != in not_in"),
        ({"error_rate": {"contains": 1}}, "conditions.error_rate", "no operator for error_rate"),
        ({"error_rate": {">=": True}}, "conditions.error_rate.>=", "no number: True"),
        ({"error_rate": {">=": "0.3"}}, "conditions.error_rate.>=", "no number: '0.3'"),
        ({"error_rate": {">=": math.nan}}, "conditions.error_rate.>=", "no number: nan"),
        ({"error_rate": {">=": -math.inf}}, "conditions.error_rate.>=", "no number: -inf"),
        ({"attempts": {">=": 10**400}}, "conditions.attempts.>=", "no number: 1000"),
        ({"attempts": {"in": [1, -(10**400)]}}, "conditions.attempts.in[1]", "no number: -1000"),
        ({"status": {"==": "runing"}}, "conditions.status.==", "did you mean 'running'?"),
        ({"status": {"in": "running"}}, "conditions.status.in", "no list"),
        ({"error_rate": 0.3}, "conditions.error_rate", "{'error_rate': {'>=': value}}"),
        ({}, "conditions", "empty"),
        ({"any": []}, "conditions.any", "no list of conditions"),
        ({"any": [{"attempts": {">": 1}}, {}]}, "conditions.any[1]", "empty"),
        ({"attempts": {">=": 5, "<": 3}}, "conditions.attempts", "no value of attempts is >= 5 and < 3"),
        ({"attempts": {">": 5, "<=": 5}}, "conditions.attempts", "no value"),
        ([SEED], "conditions", "no mapping"),
        ({"not": {"not": {"not": {"not": {"not": SEED}}}}}, "conditions.not", "deeper than 5"),
        ({"any": [{"attempts": {">": n}} for n in range(51)]}, "conditions", "more than 50 comparisons"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(written: Any, field: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(written)
    assert refused.value.field.startswith(field)
    assert says in refused.value.in_words()
    assert refused.value.remedy


def test_each_comparison_is_told_with_value_and_bound() -> None:
    told = why(parse(SEED), figures(execution_time_hours=4.12345, error_rate=None))
    assert told == [
        {"metric": "execution_time_hours", "op": ">=", "bound": 4, "value": 4.1235, "holds": True},
        {"metric": "error_rate", "op": ">=", "bound": 0.3, "value": None, "holds": None},
    ]


def test_share_without_a_count_is_doubtful_and_allowed() -> None:
    assert "without a count" in cautions(parse(SEED))[0]
    assert cautions(parse({**SEED, "attempts": {">=": 5}})) == []
    assert "hardly ever" in cautions(parse({"idle_seconds": {"==": 5}}))[0]
    assert "share of 0 to 1" in cautions(parse({"completion_rate": {">": 30}}))[0]


def test_what_stands_still_and_rules_it_out_asks_for_no_look() -> None:
    lines = {"execution_time_hours": (Line(NOON, 1 / 3600),)}
    due = next_change(parse(SEED), figures(lines, error_rate=0.5))
    assert due is not None
    assert NOON + timedelta(hours=4) <= due < NOON + timedelta(hours=4, seconds=1)
    assert next_change(parse(SEED), figures(lines, error_rate=0.1)) is None
    assert next_change(parse(SEED), figures(lines, error_rate=None)) is None


def test_what_is_not_given_may_be_anything() -> None:
    condition = parse({"status": {"==": "completed"}, "attempts": {">": 3}})
    assert could_match(condition, {"status": "completed"})
    assert not could_match(condition, {"status": "running"})


def test_every_metric_has_a_place_among_a_runs_figures() -> None:
    found = metrics(facts(troubled=(trouble(since=ago(5)),)), assess(facts(), Norms()), Norms())
    assert set(found.values) == set(METRICS)


NUMBERS = st.sampled_from([name for name, one in METRICS.items() if one.kind == "number"])
LEAVES = st.builds(
    lambda name, op, bound: {name: {op: bound}},
    NUMBERS, st.sampled_from([">=", ">", "<=", "<", "!="]), st.integers(-10, 400),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
).filter(lambda written: _depth(written) <= 5)


def _depth(written: Any) -> int:
    if not isinstance(written, dict):
        return 0
    return 1 + max(
        (max(map(_depth, one)) if isinstance(one, list) else _depth(one) for key, one in written.items()
         if key in ("any", "all", "not")), default=0,
    )  # fmt: skip


@examples(150)
@given(known=any_facts, written=CONDITIONS)
def test_a_run_does_not_begin_to_match_before_the_moment_that_is_told(known: Any, written: Any) -> None:
    condition = parse(written)
    found = metrics(known, assess(known, Norms()), Norms())
    until = next_change(condition, found)
    if matches(condition, found):
        return
    for second in (1, 5, 15, 30, 60, 100, 200, 400, 1000, 4000, 40_000):
        then = found.now + timedelta(seconds=second)
        if until is None or then < until - timedelta(microseconds=5):  # the moment is rounded up
            assert not matches(condition, found.at(then)), (second, until)


@examples(100)
@given(bound=st.floats(-1e6, 1e6), rate=st.sampled_from([1.0, 1 / 3600, 2.5, -1.0]))
def test_what_the_clock_moves_is_past_its_bound_at_the_moment_that_is_told(bound: float, rate: float) -> None:
    line = Line(NOON, rate)
    moment = line.reaches(bound)
    assert moment is not None
    assert (line.at(moment) - bound) * rate >= 0
