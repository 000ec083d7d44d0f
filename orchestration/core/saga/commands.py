"""What a flow wants done, in the imperative. Engines and workers do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from orchestration.core.enums import Cause, Purpose, RunStatus
from orchestration.core.queues import DEFAULT


def _is_default(queue: str) -> bool:
    return queue == DEFAULT


Queue = Annotated[str, Field(exclude_if=_is_default)]
"""Left out of the JSON where it is the default one, so that what was stored before there were queues stays the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAction:
    """Perform one attempt of a step's action. Unique per run by (step, purpose, iteration, attempt).

    The idempotency key is workflow_id:step_id:purpose:iteration, the same for every attempt.
    `alternative`: undo by the alternative action that a person supplied, instead of the step's own.
    `queue`: which workers may perform it.
    """

    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    alternative: bool = False
    queue: Queue = DEFAULT
    kind: Literal["run_action"] = "run_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Feed the matching TimerFired at `due`. Stale timers are ignored by the flow, so none is ever cancelled."""

    timer: Literal["backoff", "wait", "deadline"]
    due: datetime
    step_id: str = ""
    purpose: Purpose = Purpose.FORWARD
    iteration: int = 0
    attempt: int = 0
    kind: Literal["start_timer"] = "start_timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAction:
    """Ask an attempt in flight to stop early. It still ends with an ActionEnded; the flow waits for that."""

    step_id: str
    purpose: Purpose
    iteration: int
    attempt: int
    kind: Literal["cancel_action"] = "cancel_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The run is over. Written as the end record; a parent run is told."""

    status: RunStatus
    cause: Cause | None
    kind: Literal["finish"] = "finish"


Command = Annotated[RunAction | StartTimer | CancelAction | Finish, Field(discriminator="kind")]
