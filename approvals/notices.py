"""What the flow wants people to be told, handed to the notifications room."""

from __future__ import annotations

from approvals.core.commands import Tell
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.models import Request


def tell(request: Request, plan: Plan, state: State, command: Tell) -> None:
    """Inside the transaction of the decision: rows only."""
