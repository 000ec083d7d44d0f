"""The closed vocabularies of a run. One word per thing, used in code, rows, API and pages alike."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    COMPENSATING = "compensating"
    NEEDS_ATTENTION = "needs_attention"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_INCOMPLETE = "rollback_incomplete"
    FORCE_STOPPED = "force_stopped"

    @property
    def is_end(self) -> bool:
        return self in END_STATUSES


END_STATUSES = frozenset(
    {RunStatus.COMPLETED, RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_INCOMPLETE, RunStatus.FORCE_STOPPED}
)


class Cause(StrEnum):
    """Why a run left the way forward; empty on a run that never did."""

    FAILURE = "failure"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    REJECTED = "rejected"
    OPERATOR = "operator"


class StepStatus(StrEnum):
    """What happened to a step's forward action."""

    PENDING = "pending"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class UndoStatus(StrEnum):
    """What happened to a step's compensation."""

    NOT_NEEDED = "not_needed"
    PENDING = "pending"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"
    FAILED = "compensation_failed"


class Purpose(StrEnum):
    FORWARD = "forward"
    UNDO = "undo"


class Outcome(StrEnum):
    """The outcome of one attempt (saga rule 4).

    succeeded: done. failed: a clean refusal, final. retryable: not done as far as known, try again.
    unknown: possibly done (timed out, or the connection was lost after sending).
    skipped: the action needs an output that an earlier, non-critical failure left missing.
    parked: the action was not begun, because something outside the run has to happen first (a gate, or the circuit
    breaker of its route has to close).
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRYABLE = "retryable"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    PARKED = "parked"


class Verb(StrEnum):
    """What a person can do to a run."""

    HOLD = "hold"
    RELEASE = "release"
    ABORT = "abort"
    RETRY = "retry"
    RERUN = "rerun"
    SKIP = "skip"
    RESOLVE = "resolve"
    RESTART = "restart"
    FORCE_STOP = "force-stop"


class Answer(StrEnum):
    """The four ways to close a failed compensation."""

    RETRY = "retry"
    DONE_BY_HAND = "done-by-hand"
    ALTERNATIVE = "alternative"
    ACCEPT_LOSS = "accept-loss"
