"""Facts that a flow reacts to, in the past tense. Time comes in with each: `at` is an aware UTC datetime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from orchestration.core.enums import Answer, Cause, Outcome, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    at: datetime
    kind: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEnded:
    """One attempt of a step's action ended.

    `maybe`: the other side may have acted (true for every unknown; a 5xx is retryable and maybe).
    `probed`: a probe answered, so doubts left by earlier attempts are settled too.
    `retry_after`: seconds the other side asked us to wait.
    `resume_at`: a success that holds from then on: the step goes on waiting until that time.
    `cause`: why the run leaves the way forward, when this failure makes it; None is Cause.FAILURE.
    `tries`: how many workers took the attempt up; after a lost one the call may have been made before.
    """

    at: datetime
    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    outcome: Outcome
    maybe: bool = False
    probed: bool = False
    retry_after: float | None = None
    error: str = ""
    resume_at: datetime | None = None
    cause: Cause | None = None
    tries: int = 1
    kind: Literal["action_ended"] = "action_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectBroke:
    """Our own machinery gave up on an attempt. Never a reason to undo: the run is held (or needs attention)."""

    at: datetime
    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    error: str
    kind: Literal["effect_broke"] = "effect_broke"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerOverdue:
    """An attempt's handler was told to stop and has not ended within its grace time. The attempt stays in flight."""

    at: datetime
    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    error: str
    kind: Literal["handler_overdue"] = "handler_overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """`timer`: "backoff" (the next attempt is due), "wait" (a wait step is over), "deadline" (the saga's)."""

    at: datetime
    timer: Literal["backoff", "wait", "deadline"]
    step_id: str = ""
    purpose: Purpose = Purpose.FORWARD
    iteration: int = 0
    attempt: int = 0
    kind: Literal["timer_fired"] = "timer_fired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """What a parked step waits for may have happened: attempt its action again. Once too often is harmless."""

    at: datetime
    step_id: str
    iteration: int
    kind: Literal["look_again"] = "look_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequested:
    """`undo_completed`: a parent undoes this finished child; otherwise an ended run cannot be aborted."""

    at: datetime
    cause: Cause
    by: str = ""
    note: str = ""
    undo_completed: bool = False
    kind: Literal["abort_requested"] = "abort_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequested:
    at: datetime
    by: str = ""
    note: str = ""
    kind: Literal["hold_requested"] = "hold_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequested:
    at: datetime
    by: str = ""
    note: str = ""
    kind: Literal["release_requested"] = "release_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequested:
    at: datetime
    step_id: str
    by: str = ""
    note: str = ""
    kind: Literal["retry_requested"] = "retry_requested"


def _is_nobody(asker: str) -> bool:
    return not asker


Asker = Annotated[str, Field(exclude_if=_is_nobody)]
"""Left out of the JSON where there is none, so that older workers read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRequested:
    """Repeat `step_id` and everything after it under a new iteration, keeping earlier results.

    `rework`: people asked for changes at a gate after it, in the words of `note`. Other steps may be in flight then,
    and a hold of the run stays. `asker`: the step whose child run asks for it, and waits for nothing else by then.
    """

    at: datetime
    step_id: str
    by: str = ""
    note: str = ""
    rework: bool = False
    asker: Asker = ""
    kind: Literal["rerun_requested"] = "rerun_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRequested:
    at: datetime
    step_id: str
    by: str = ""
    note: str = ""
    kind: Literal["skip_requested"] = "skip_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveRequested:
    """A person's answer to a failed compensation. `run_alternative`: an alternative action is stored and to be run."""

    at: datetime
    step_id: str
    answer: Answer
    run_alternative: bool = False
    by: str = ""
    note: str = ""
    kind: Literal["resolve_requested"] = "resolve_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceStopRequested:
    at: datetime
    by: str = ""
    note: str = ""
    kind: Literal["force_stop_requested"] = "force_stop_requested"


Act = (
    AbortRequested
    | HoldRequested
    | ReleaseRequested
    | RetryRequested
    | RerunRequested
    | SkipRequested
    | ResolveRequested
    | ForceStopRequested
)
Event = Annotated[
    RunStarted | ActionEnded | EffectBroke | HandlerOverdue | TimerFired | LookAgain | Act, Field(discriminator="kind")
]
