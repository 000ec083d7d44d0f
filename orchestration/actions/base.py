"""The arguments and the result of every action."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from orchestration.core.enums import Cause, Outcome, Purpose


def _told_nobody(is_overdue: bool) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt to perform. `action` is rendered, but secrets are still references ({secret:NAME}).

    `cancelled` is set when the run no longer wants the result; long actions check it and stop. `timeout_seconds` bounds
    the whole attempt, of which the calls of `until` have used `polled_seconds` by now. `breaker`: the circuit breaker
    that the step names; '' for the one of its route. `route`: the URL as its author wrote it, '' for other actions.
    `title`, `agent_type`: of the step.
    `goes_on` is called when the action goes on after it was told to stop, and again with True once its grace time is
    over too. If it returns False, that could not be stored: call it again.
    """

    workflow_id: str
    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    idempotency_key: str
    timeout_seconds: float
    action: Mapping[str, JsonValue]
    polled_seconds: float = 0.0
    breaker: str = ""
    route: str = ""
    title: str = ""
    agent_type: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    goes_on: Callable[[bool], bool] = _told_nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the attempt ended (saga rule 4). `detail` is kept on the attempt (status, headers, seconds, …).

    `deferred`: the action was handed over (a child saga, a gate); its outcome arrives later as an event.
    `resume_at`: a success that holds from then on (a wait). Parked: nothing was sent, or `until` does not hold yet;
    `retry_after` says when to come again. It is `maybe` when something had been sent before and its probe could not
    ask, or when the call that `until` repeats may have acted. Without `retry_after` it comes again when something tells
    the step to look again, such as the end of a request. `cause`: of a failure that people decided, or let pass.
    """

    outcome: Outcome
    output: JsonValue = None
    error: str = ""
    maybe: bool = False
    retry_after: float | None = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    deferred: bool = False
    resume_at: datetime | None = None
    cause: Cause | None = None


Perform = Callable[[Call], Result]
