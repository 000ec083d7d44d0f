"""What a decision has to write. Pure, so that it can be made inside a workflow and travel to where it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter

from orchestration.core.saga.events import Event
from orchestration.core.saga.facts import Fact, changed_steps, facts_of
from orchestration.core.saga.state import SagaState, StepState

HEAD_FIELDS = tuple(f.name for f in fields(SagaState) if f.name not in {"steps", "workflow_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What one or more decisions have to write: the head, the steps that changed, the facts in order.

    A page can travel (to an activity) and be written twice: rows keep the version that wrote them.
    `first_seq` is the event log's number of the first fact, from 1.
    """

    head: dict[str, Any]
    version: int
    steps: dict[str, StepState]
    facts: Sequence[Fact]
    first_seq: int


def head_of(state: SagaState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in HEAD_FIELDS}


def state_change_of(before: SagaState, event: Event, after: SagaState, *, first_seq: int) -> StateChange:
    return StateChange(
        head=head_of(after),
        version=after.version,
        steps={step_id: after.steps[step_id] for step_id in changed_steps(before, after)},
        facts=facts_of(before, event, after),
        first_seq=first_seq,
    )


PAGE: TypeAdapter[StateChange] = TypeAdapter(StateChange)
