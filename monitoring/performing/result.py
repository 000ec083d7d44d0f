"""What came of an action of recovery that a person asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitoring.core.enums import RecoveryAction


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryResult:
    """What came of it. `success`: it was done, or is under way; whether it helps, the attempt's verdict says later.

    `state`: of the attempt; '' and `attempt_id` None where nothing was done, and `message` says why. `run`: as it is
    afterwards (JSON).
    """

    success: bool
    workflow_id: str
    recovery_action: RecoveryAction | None
    attempt_id: int | None = None
    state: str = ""
    message: str = ""
    new_workflow_id: str = ""
    run: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The same as one JSON object, as REST and the console give it."""
        return {
            "success": self.success,
            "workflow_id": self.workflow_id,
            "recovery_action": self.recovery_action.value if self.recovery_action else None,
            "attempt_id": self.attempt_id,
            "state": self.state or None,
            "message": self.message,
            "new_workflow_id": self.new_workflow_id or None,
            "run": self.run,
        }
