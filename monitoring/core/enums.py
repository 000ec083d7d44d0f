"""The closed vocabularies of health and recovery; the words of the API, pages and rows."""

from __future__ import annotations

from enum import StrEnum


class HealthStatus(StrEnum):
    """How a run does: the worst of its issues. `unknown`: its engine is away, or its facts cannot be read."""

    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """The higher the worse; `unknown` is above `warning`, since it may hide anything."""
        return _RANKS[self]


_RANKS = {HealthStatus.HEALTHY: 0, HealthStatus.WARNING: 1, HealthStatus.UNKNOWN: 2, HealthStatus.CRITICAL: 3}


class RecoveryAction(StrEnum):
    """What can be done about an issue. The first eight are the ones that a policy may name; see `recovery`."""

    RETRY = "retry"
    RESTART = "restart"
    ROLLBACK = "rollback"
    SKIP = "skip"
    PAUSE = "pause"
    ESCALATE = "escalate"
    NOTIFY = "notify"
    CANCEL = "cancel"
    RESUME = "resume"
    WAKE = "wake"


CODES = (
    "step_blocks", "undo_failed", "machinery_failed", "outcome_unknown", "ended_failed", "ended_incomplete",
    "completed_with_warnings", "retrying", "slow_step", "overdue_step", "worker_lost", "not_taken", "timer_overdue",
    "not_handed_over", "act_undelivered", "workflow_lost", "stalled", "overlong", "deadline_near", "gate_waits",
    "child_in_trouble", "held_long", "error_rate_high", "looping", "near_limit", "engine_away",
    "recovery_exhausted", "recovery_braked", "target_failing",
)  # fmt: skip
"""Of all issues that a detector may find."""
