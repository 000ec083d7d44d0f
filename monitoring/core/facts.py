"""What is known of a run when its health is judged. Moments are aware UTC, lengths seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.core.enums import Purpose, RunStatus

SAGAS = ("saga", "multi_agent_project")
"""The kinds of runs that have steps of their own; of others people decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInTrouble:
    """A step that has failed, retries, is unknown, or whose undo has trouble.

    `status`, `undo`: the flow's words. `open_undo`: its undo has failed and nobody has closed that. `tried` of `most`:
    attempts of the budget. `error`: of the last attempt that failed; `http_status`, `host`: of that, where it was a
    call. `next_at`: the next attempt. `chance`: which second chance that is, of how many. `asks`: its call carries a
    key, so that a repetition is safe. `iterations`: how often it was begun anew. `kept_back`: a circuit breaker lets no
    attempt through; `error` is then that of the last call that was made there, by whomever.
    """

    step_id: str
    status: str = "pending"
    undo: str = "not_needed"
    blocked: bool = False
    open_undo: bool = False
    critical: bool = True
    pivot_passed: bool = False
    tried: int = 0
    most: int = 1
    undo_tried: int = 0
    error: str = ""
    http_status: int | None = None
    host: str = ""
    handler: str = ""
    next_at: datetime | None = None
    chance: tuple[int, int] | None = None
    asks: bool = False
    can_skip: bool = False
    has_probe: bool = False
    timeout_seconds: float | None = None
    iterations: int = 1
    kept_back: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt in flight. `worker_until`: the end of its worker's lease, None when the worker is gone.

    `child`: it has begun a run or request and only waits for that.
    """

    step_id: str
    purpose: Purpose = Purpose.FORWARD
    started_at: datetime
    worker: str = ""
    worker_until: datetime | None = None
    tries: int = 1
    timeout_seconds: float | None = None
    child: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An attempt that nobody has taken up, and from when on it could be."""

    step_id: str
    due_at: datetime
    queue: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A timer that has not fired. `kind`: `wait`, `retry`, `deadline`, or `alarm` of a run of another kind."""

    kind: str
    due_at: datetime
    step_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A person's act, or another run's end, that is stored and not delivered."""

    what: str
    since: datetime
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A run below this one that has not ended; `worst`: the status of its own health, `sentence` its worst issue."""

    workflow_id: str
    kind: str
    status: RunStatus
    step_id: str = ""
    worst: str = "healthy"
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """An open approval that the run waits for, or is itself. `whom`: in words; `at_the_end`: what its end means."""

    request_id: str
    opened_at: datetime
    expires_at: datetime | None = None
    whom: str = ""
    at_the_end: str = "rejected"
    step_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """An attempt of recovery on the run. `number` of `of`; 0: people were told. `exhausted`: its policy has none left.

    `waits`: what it waits for, in words, and `brake` which brake that is; `steps`: what it retried.
    """

    policy_id: str
    action: str
    state: str
    number: int = 0
    of: int = 0
    steps: tuple[str, ...] = ()
    waits: str = ""
    brake: str = ""
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The attempts of a run's life, forward and undo, parked and skipped ones left out.

    `retries`: beyond the first of each step and iteration. `failed`: with an outcome other than success, of `ended`.
    `worker_losses`: how often another worker took one up. `busy`: seconds that the ended ones took.
    """

    attempts: int = 0
    retries: int = 0
    ended: int = 0
    failed: int = 0
    worker_losses: int = 0
    busy: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """All that a detector may know of a run.

    `now`: the database's time at which the rows were read. `last_fact_at`: of its event log. `serving`: living workers
    of its engine by queue. `busy`: threads of its engine that perform something, of how many. `engine_away_since`: its
    server does not answer. `ended_attempts`, `failed_attempts`: of this run's life; counted only where something is
    wrong. `history`: events of its Temporal history, of `history_most`. `depth`: runs above it, of at most
    `depth_most`. `recovered`: attempts of recovery so far.
    `counted` and `state_since` (its status was entered) are None unless a recovery policy or a person asks for them.
    `recoveries`: attempts of recovery, the earliest first. `storms`: targets at which many runs fail. `pivot_passed`:
    what was done is not undone any more. `to_do`: steps that are not settled, of `steps`. `alert_on_failure`,
    `channels`: of the run's configuration; `starter_id`: the account that started it.
    """

    run_id: int
    workflow_id: str
    kind: str = "saga"
    saga_id: str = ""
    engine: str = "celery"
    status: RunStatus = RunStatus.RUNNING
    cause: str = ""
    now: datetime
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline: datetime | None = None
    forecast_until: datetime | None = None
    version: int = 0
    handed_over: bool = True
    trouble: str = ""
    held: bool = False
    held_by: str = ""
    hold_reason: str = ""
    held_since: datetime | None = None
    last_fact_at: datetime | None = None
    steps: int = 0
    to_do: int = 0
    troubled: tuple[StepInTrouble, ...] = ()
    in_flight: tuple[Attempt, ...] = ()
    ready: tuple[Ready, ...] = ()
    timers: tuple[Timer, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    children: tuple[Child, ...] = ()
    gates: tuple[Gate, ...] = ()
    warnings: tuple[str, ...] = ()
    serving: Mapping[str, int] = field(default_factory=dict)
    engine_away_since: datetime | None = None
    engine_error: str = ""
    ended_attempts: int = 0
    failed_attempts: int = 0
    commonest_error: str = ""
    machinery: tuple[tuple[str, str], ...] = ()
    lost_workflow: bool = False
    history: int = 0
    history_most: int = 0
    depth: int = 0
    depth_most: int = 0
    parent: bool = False
    alert_on_failure: bool | None = None
    channels: tuple[str, ...] = ()
    starter_id: int | None = None
    counted: Counted | None = None
    state_since: datetime | None = None
    recovered: int = 0
    pivot_passed: bool = False
    recoveries: tuple[Recovered, ...] = ()
    storms: frozenset[str] = frozenset()

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.status.is_end
