"""Facts of runs in every kind of trouble, and of runs without any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from monitoring.core.facts import Attempt, Child, Gate, Ready, RunFacts, StepInTrouble, Timer, Undelivered
from monitoring.core.norms import Norm, Norms
from orchestration.core.enums import Purpose, RunStatus

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def ahead(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def facts(**more: Any) -> RunFacts:
    """A run that began a minute ago and waits for an attempt in flight, unless told otherwise."""
    given: dict[str, Any] = {
        "run_id": 1, "workflow_id": "order-17", "saga_id": "order", "now": NOON, "created_at": ago(61),
        "started_at": ago(60), "last_fact_at": ago(1), "steps": 4, "to_do": 2,
        "serving": {"default": 8},
    }  # fmt: skip
    return RunFacts(**{**given, **more})


def trouble(step_id: str = "pay", **more: Any) -> StepInTrouble:
    """A step whose last attempt was answered with a 503."""
    given: dict[str, Any] = {
        "step_id": step_id, "status": "failed", "error": "POST http://payments.local/pay: 503", "http_status": 503,
        "host": "payments.local", "since": ago(5),
    }  # fmt: skip
    return StepInTrouble(**{**given, **more})


KNOWN = Norms(
    {
        ("order", "build", "forward"): Norm(n=100, p50=120, p95=240, p99=300),
        ("order", "", "forward"): Norm(n=100, p50=600, p95=1200, p99=1500),
    }
)

seconds = st.integers(min_value=-4000, max_value=90_000)
moments = seconds.map(ago)
attempts = st.builds(
    Attempt, step_id=st.sampled_from(["build", "pay"]), started_at=moments, worker=st.sampled_from(["", "w1"]),
    worker_until=st.one_of(st.none(), st.just(ahead(10))), tries=st.integers(1, 3),
    timeout_seconds=st.one_of(st.none(), st.floats(1, 4000)), purpose=st.sampled_from(list(Purpose)),
    child=st.booleans(),
)  # fmt: skip
troubles = st.builds(
    StepInTrouble, step_id=st.sampled_from(["pay", "ship"]),
    status=st.sampled_from(["failed", "unknown", "backing_off"]), blocked=st.booleans(), open_undo=st.booleans(),
    tried=st.integers(0, 6), most=st.integers(1, 6), error=st.sampled_from(["", "POST http://a.b/c: 503"]),
    next_at=st.one_of(st.none(), moments), iterations=st.integers(1, 7),
)  # fmt: skip
gates = st.builds(
    Gate, request_id=st.just("r"), opened_at=moments, expires_at=st.one_of(st.none(), st.just(ahead(500))),
    whom=st.sampled_from(["", "bob"]),
)  # fmt: skip
any_facts = st.builds(
    facts, troubled=st.lists(troubles, max_size=2).map(tuple), in_flight=st.lists(attempts, max_size=2).map(tuple),
    ready=st.lists(st.builds(Ready, step_id=st.just("pay"), due_at=moments), max_size=1).map(tuple),
    timers=st.lists(st.builds(Timer, kind=st.just("wait"), due_at=moments), max_size=1).map(tuple),
    undelivered=st.lists(st.builds(Undelivered, what=st.just("abort"), since=moments), max_size=1).map(tuple),
    children=st.lists(
        st.builds(
            Child, workflow_id=st.just("c"), kind=st.just("saga"), status=st.just(RunStatus.HELD),
            worst=st.sampled_from(["healthy", "warning", "critical"]),
        ),
        max_size=1,
    ).map(tuple),
    gates=st.lists(gates, max_size=1).map(tuple), handed_over=st.booleans(), created_at=moments,
    started_at=st.one_of(st.none(), moments), last_fact_at=st.one_of(st.none(), moments),
    deadline=st.one_of(st.none(), st.just(ahead(900))), held=st.booleans(), held_by=st.sampled_from(["", "ada"]),
    held_since=st.one_of(st.none(), moments),
)  # fmt: skip
