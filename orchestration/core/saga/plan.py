"""A definition compiled for deciding: built once per definition hash, never part of the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from orchestration.core.queues import DEFAULT
from orchestration.core.saga import versions
from orchestration.core.saga.commands import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """`level` is the longest path from a root (0); undo waves go by it, highest first.

    `needs`: step ids whose output the forward action names explicitly, such as {create_account.user_id}.
    `undo_needs_output`: its compensation can only be filled in from its own output, which an unknown outcome lacks.
    `wait_seconds`: set on a wait step in numbers, which is a timer and no action; another one is an action that says
    when its timer is due, and `finds_out` is true.
    `timeout_seconds`: of one attempt; None in a plan that was stored before plans said it.
    `external`: the outcome arrives later (a child saga); the run counts as waiting meanwhile.
    `queue`: which workers perform its actions.
    `gated`: it acts only with a grant. `gate`: it is nothing but a gate, which cannot be skipped.
    """

    step_id: str
    index: int
    dependencies: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    level: int = 0
    needs: frozenset[str] = frozenset()
    critical: bool = True
    pivot: bool = False
    has_undo: bool = False
    undo_needs_output: bool = False
    has_default: bool = False
    external: bool = False
    gated: bool = False
    gate: bool = False
    cancellable: bool = False
    wait_seconds: float | None = None
    finds_out: bool = False
    timeout_seconds: float | None = None
    retry_count: int = 0
    compensation_retry_count: int = 5
    backoff_seconds: float = 1.0
    compensation_backoff_seconds: float = 2.0
    backoff_limit_seconds: float = 60.0
    queue: Queue = DEFAULT

    @property
    def acts(self) -> bool:
        """Whether it has an effect outside Zen; a wait and a gate have none."""
        return self.wait_seconds is None and not self.finds_out and not self.gate


def _is_empty(pauses: tuple[float, ...]) -> bool:
    return not pauses


Pauses = Annotated[tuple[float, ...], Field(exclude_if=_is_empty)]
"""Seconds. Left out of the JSON where there are none, so that what was stored before stays the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`flow`: the version of the flow that decides by it (versions.py). `second_chances`: pauses (its module)."""

    steps: Mapping[str, PlanStep]
    roots: tuple[str, ...]
    max_parallel: int = 100
    timeout_seconds: float | None = None
    compensation_order: Literal["parallel", "sequential"] = "parallel"
    order: tuple[str, ...] = field(default=())
    flow: int = versions.FIRST
    second_chances: Pauses = ()
