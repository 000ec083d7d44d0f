"""Core values to JSON and back."""

from __future__ import annotations

from pydantic import TypeAdapter

from approvals.core.events import Event
from approvals.core.plan import Plan
from approvals.core.state import State

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
STATE: TypeAdapter[State] = TypeAdapter(State)
