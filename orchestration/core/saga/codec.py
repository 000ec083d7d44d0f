"""Core values to JSON and back. `kind` says which event or command it is; None and defaults are written in full."""

from __future__ import annotations

from pydantic import TypeAdapter

from orchestration.core.saga.commands import Command
from orchestration.core.saga.events import Event
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState, StepState

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
STATE: TypeAdapter[SagaState] = TypeAdapter(SagaState)
STEP: TypeAdapter[StepState] = TypeAdapter(StepState)
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
