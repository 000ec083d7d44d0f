"""The Temporal engine behind the contract of `engines.base`. The SDK is an extra: each method imports what needs it."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from django.conf import settings

from foundation.db import statements
from foundation.errors import Unreachable
from orchestration.engines.base import Reach, Report
from orchestration.models import Message, Run
from orchestration.ports import kept

ASK_AGAIN_SECONDS = 2.0


class TemporalEngine:
    """Implements `engines.base.Engine` on a Temporal server."""

    name = "temporal"
    is_told = True

    def __init__(self) -> None:
        self._asked: tuple[float, str, Reach] | None = None
        self._lock = threading.Lock()

    def reach(self) -> Reach:
        with self._lock:
            whom = f"{settings.TEMPORAL_ADDRESS} {settings.TEMPORAL_NAMESPACE}"
            if self._asked and self._asked[1] == whom and time.monotonic() - self._asked[0] < ASK_AGAIN_SECONDS:
                return self._asked[2]
            answer = _ask()
            if not answer.ok:  # one lost question must not send a run to another engine
                answer = _ask()
            self._asked = (time.monotonic(), whom, answer)
            return answer

    def begin(self, run: Run) -> None:
        """A workflow is started after the commit, by `take`."""

    def take(self, run: Run) -> None:
        if kept(run.kind):
            self.tend(run)
            return
        from orchestration.engines.temporal.start_workflow import hand_over  # noqa: PLC0415 - temporalio is an extra

        hand_over(run)

    def deliver(self, message: Message) -> str:
        from orchestration.engines.temporal.delivery import deliver  # noqa: PLC0415 - temporalio is an extra

        return deliver(message)

    def alarm(self, run: Run, due: datetime, number: int) -> list[statements.Statement]:
        """The workflow asks for its next alarm each time it is woken."""
        return []

    def tend(self, run: Run) -> None:
        from orchestration.engines.temporal.schedule_wake import tend  # noqa: PLC0415 - temporalio is an extra

        tend(run)

    def revive(self, run: Run) -> None:
        """Its server keeps the timers of sagas; the workflow of another flow asks for its next alarm when woken."""
        if kept(run.kind):
            self.tend(run)

    def report(self, run: Run) -> Report:
        from orchestration.engines.temporal.troubles import report  # noqa: PLC0415 - temporalio is an extra

        return report(run)

    def wake(self) -> None:
        return None


def _ask() -> Reach:
    try:
        from orchestration.engines.temporal import connection  # noqa: PLC0415 - temporalio is an extra
    except ImportError:
        return Reach(ok=False, why="the SDK is missing", remedy="pip install 'zen-orchestration[temporal]'")
    try:
        connection.call(connection.check())
    except Unreachable as error:
        return Reach(ok=False, why=error.message, remedy=error.remedy)
    return Reach(ok=True, why=f"{settings.TEMPORAL_ADDRESS} answers")
