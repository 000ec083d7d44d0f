"""The metrics and operators that conditions may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.core.enums import CODES, HealthStatus
from monitoring.core.errors import ErrorClass
from orchestration.core.enums import Cause, RunStatus

NUMBER, TEXT, SET = "number", "text", "set"

KINDS = ("saga", "approval", "multi_agent_project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`kind`: number, text or set (of words). `share`: 0 to 1. `moves`: changes by the clock alone. `words`: if closed.

    `count`: of attempts and the like, which tells how much a share is worth.
    """

    kind: str = NUMBER
    share: bool = False
    moves: bool = False
    count: bool = False
    words: tuple[str, ...] = ()


_MOVES, _COUNT, _SHARE, _TEXT = Metric(moves=True), Metric(count=True), Metric(share=True), Metric(kind=TEXT)


def _closed(*words: str) -> Metric:
    return Metric(kind=TEXT, words=words)


METRICS: Mapping[str, Metric] = {
    "execution_time_hours": _MOVES, "execution_time_seconds": _MOVES, "idle_seconds": _MOVES, "state_seconds": _MOVES,
    "busy_seconds": _MOVES, "deadline_in_seconds": _MOVES, "oldest_approval_hours": _MOVES, "slowness": _MOVES,
    "error_rate": _SHARE, "completion_rate": _SHARE,
    "attempts": _COUNT, "retry_count": _COUNT, "failed_steps": _COUNT, "unknown_steps": _COUNT,
    "blocked_steps": _COUNT, "compensation_failures": _COUNT, "worker_losses": _COUNT, "total_steps": Metric(),
    "completed_steps": _COUNT, "pending_approvals": _COUNT, "open_children": _COUNT, "recovery_attempts": _COUNT,
    "status": _closed(*RunStatus), "cause": _closed(*Cause), "kind": _closed(*KINDS),
    "workflow_type": _closed(*KINDS), "saga_id": _TEXT, "engine": _TEXT, "step_id": _TEXT, "target": _TEXT,
    "error": _TEXT, "error_class": _closed(*ErrorClass), "health": _closed(*HealthStatus),
    "issue": Metric(kind=SET, words=CODES),
}  # fmt: skip

COMPARING = (">=", ">", "<=", "<", "==", "!=")
OPERATORS = (*COMPARING, "in", "not_in", "contains")

ALLOWED: Mapping[str, tuple[str, ...]] = {
    NUMBER: (*COMPARING, "in", "not_in"),
    TEXT: OPERATORS,
    SET: ("==", "!=", "in", "not_in"),
}
