"""The end of a session, raised where it is found."""

from __future__ import annotations

from datetime import datetime

from orchestration.agents.drivers.failures import Failure, failure_of
from orchestration.core.agent.session import EndReason, Question


class SessionOver(Exception):
    """Why the session ends here."""

    def __init__(
        self,
        reason: EndReason,
        error: str = "",
        *,
        question: Question | None = None,
        retry_after: float | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(error)
        self.reason, self.error, self.question = reason, error, question
        self.retry_after, self.retry_at = retry_after, retry_at

    @classmethod
    def by(cls, text: str, failure: Failure | None = None) -> SessionOver:
        """For what an agent says went wrong."""
        failure = failure or failure_of(text)
        return cls(failure.reason, text, retry_after=failure.retry_after, retry_at=failure.retry_at)
