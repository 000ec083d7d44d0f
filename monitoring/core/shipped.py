"""The recovery policies that come with Zen."""

from __future__ import annotations

from monitoring.core.enums import RecoveryAction
from monitoring.core.errors import ErrorClass
from monitoring.core.policy import RecoveryPolicy

RETRY, WAKE, ESCALATE = RecoveryAction.RETRY, RecoveryAction.WAKE, RecoveryAction.ESCALATE
TRANSIENT = [one.value for one in (ErrorClass.HTTP_5XX, ErrorClass.HTTP_429, ErrorClass.TIMEOUT, ErrorClass.CONNECTION)]
"""Kinds of error that are often over after a while."""

SHIPPED = (
    RecoveryPolicy(
        policy_id="machinery", name="Retry what our own machinery could not finish", workflow_types=["*"],
        conditions={"issue": {"==": "machinery_failed"}}, recovery_actions=[RETRY, ESCALATE], max_recovery_attempts=2,
    ),
    RecoveryPolicy(
        policy_id="lost", name="Wake runs that nothing moves", workflow_types=["*"],
        conditions={"issue": {"in": ["not_handed_over", "timer_overdue", "act_undelivered", "stalled"]}},
        recovery_actions=[WAKE, ESCALATE], max_recovery_attempts=2,
    ),
    RecoveryPolicy(
        policy_id="blocked-transient", name="Retry steps that block over a passing error", workflow_types=["*"],
        conditions={"issue": {"==": "step_blocks"}, "error_class": {"in": TRANSIENT}},
        recovery_actions=[RETRY, ESCALATE], max_recovery_attempts=3,
    ),
    RecoveryPolicy(
        policy_id="undo-transient", name="Retry undos that failed over a passing error", workflow_types=["*"],
        conditions={"issue": {"==": "undo_failed"}, "error_class": {"in": TRANSIENT}},
        recovery_actions=[RETRY, ESCALATE], max_recovery_attempts=3,
    ),
)  # fmt: skip
