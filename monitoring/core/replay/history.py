"""The log of a run that is over, as a back-test reads it. Moments are aware UTC, lengths seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

UNSEEN_CODES = frozenset(
    {
        "worker_lost", "not_taken", "not_handed_over", "act_undelivered", "workflow_lost", "stalled", "gate_waits",
        "child_in_trouble", "near_limit", "engine_away", "completed_with_warnings",
    }
)  # fmt: skip
"""Issues that a run's log does not tell of."""

UNSEEN_METRICS = frozenset({"pending_approvals", "oldest_approval_hours", "open_children"})
"""Metrics that have no value in a back-test. `recovery_attempts` is 0 there: nothing was tried yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the event log (orchestration.core.saga.facts)."""

    at: datetime
    kind: str
    step_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt. `outcome`: '' while it has none; `http_status`, `host`: of a call that failed."""

    step_id: str
    purpose: str = "forward"
    iteration: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""
    error: str = ""
    http_status: int | None = None
    host: str = ""
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang:
    """A timer that was due at `due_at` and fired at `ended_at`; None: never."""

    kind: str
    due_at: datetime
    step_id: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What the definition says of a step; see `core.facts.StepInTrouble`."""

    critical: bool = True
    pivot: bool = False
    most: int = 1
    handler: str = ""
    asks: bool = False
    can_skip: bool = False
    has_probe: bool = False
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run that is over. `entries`: the earliest first. `parent`: another run waited for it."""

    run_id: int
    workflow_id: str
    saga_id: str
    engine: str = "celery"
    created_at: datetime
    timeout_seconds: float | None = None
    parent: bool = False
    plan: Mapping[str, StepPlan] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    tried: tuple[Tried, ...] = ()
    timers: tuple[Rang, ...] = ()
