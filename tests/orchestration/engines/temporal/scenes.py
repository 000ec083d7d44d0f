"""Scenes that between them use every kind of command, event and wait of the interpreter."""

from __future__ import annotations

from orchestration.core.enums import Answer, Cause, Outcome, Purpose
from orchestration.core.saga.events import (
    AbortRequested,
    HoldRequested,
    ReleaseRequested,
    RerunRequested,
    ResolveRequested,
    RetryRequested,
)
from tests.orchestration.core.saga_world import make_plan
from tests.orchestration.engines.temporal.stage import NOON, Scene

_QUICK: dict[str, object] = {
    "backoff_seconds": 0.05,
    "compensation_backoff_seconds": 0.05,
    "backoff_limit_seconds": 0.1,
}
_UNDO: dict[str, object] = {**_QUICK, "has_undo": True}
_DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
_FORWARD, _BACK = Purpose.FORWARD, Purpose.UNDO

LONG = Scene(
    plan=make_plan(
        {f"s{n}": (f"s{n - 1}",) if n else () for n in range(30)} | {"pause": ("s0",), "child": ("s1",)},
        timeout=600,
        pause={"wait_seconds": 2.0},
        child={"external": True},
        s5={**_QUICK, "retry_count": 3},
    ),
    outcomes={("s5", _FORWARD, 1): Outcome.RETRYABLE},
    late=frozenset({"child"}),
)
"""Long enough to continue as new several times, with a timer, a deadline and a child's answer pending."""

SCENES = {
    "completed": Scene(plan=make_plan(_DIAMOND)),
    "retried": Scene(
        plan=make_plan({"a": (), "b": ("a",)}, a={**_QUICK, "retry_count": 2}),
        outcomes={("a", _FORWARD, 1): Outcome.RETRYABLE, ("a", _FORWARD, 2): Outcome.UNKNOWN},
    ),
    "rolled_back": Scene(
        plan=make_plan(_DIAMOND, a=_UNDO, b=_UNDO, c=_UNDO, d=_UNDO),
        outcomes={("d", _FORWARD, 1): Outcome.FAILED, ("b", _BACK, 1): Outcome.RETRYABLE},
    ),
    "resolved": Scene(
        plan=make_plan({"a": (), "b": ("a",)}, a={**_UNDO, "compensation_retry_count": 0}),
        outcomes={("b", _FORWARD, 1): Outcome.FAILED, ("a", _BACK, 1): Outcome.FAILED},
        acts=[("needs_attention", ResolveRequested(at=NOON, step_id="a", answer=Answer.DONE_BY_HAND, by="x"))],
    ),
    "held": Scene(
        plan=make_plan({"a": (), "pause": ("a",), "b": ("pause",)}, pause={"wait_seconds": 1.0}, timeout=60),
        acts=[("waiting", HoldRequested(at=NOON, by="x")), ("held", ReleaseRequested(at=NOON, by="x"))],
    ),
    "past_the_pivot": Scene(
        plan=make_plan({"a": (), "b": ("a",)}, a={"pivot": True}),
        outcomes={("b", _FORWARD, 1): Outcome.FAILED},
        acts=[("held", RetryRequested(at=NOON, step_id="b", by="x"))],
    ),
    "rerun": Scene(
        plan=make_plan(
            {"a": (), "pause": ("a",)}, a={**_UNDO, "compensation_retry_count": 1}, pause={"wait_seconds": 1.0}
        ),
        outcomes={("a", _BACK, 1): Outcome.RETRYABLE},
        acts=[
            ("waiting", HoldRequested(at=NOON, by="x")),
            ("held", RerunRequested(at=NOON, step_id="a", by="x")),
            ("waiting", AbortRequested(at=NOON, cause=Cause.OPERATOR, by="x")),
        ],
    ),
    "answered_late": Scene(
        plan=make_plan({"a": (), "b": ("a",), "c": ("b",)}, b={"external": True}), late=frozenset({"b"})
    ),
}
