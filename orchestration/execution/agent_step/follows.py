"""What follows an attempt that was judged: by its verdict, by how many there were, and by what they have cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from orchestration.actions.base import Call
from orchestration.core.agent.session import EndReason
from orchestration.core.agent.verdict import Asked, Next, Then, Verdict, after
from orchestration.core.enums import Purpose
from orchestration.execution.agent_step.record import LOST
from orchestration.execution.agent_step.work import is_in_project
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import AgentAttempt, AgentEndpoint, Run

RESUMED = (Asked.PERMISSION, Asked.QUESTION)
"""What is asked while the agent's session waits: it goes on with the answer."""


def follows(run: Run, step_id: str, rows: Sequence[AgentAttempt], *, retry_at: datetime | None = None) -> Next:
    """What follows the latest of these attempts of a step, which has its verdict.

    In a project the last attempt is followed by a question; elsewhere the flow keeps the count.
    """
    last = rows[-1]
    counted = [row for row in rows if row.error != LOST and not _is_no_fault(row)]
    step = next(one for one in definition_of(run).steps if one.step_id == step_id)
    most = step.retry_count + 1 if is_in_project(run) else len(counted) + 2
    return after(
        Verdict(last.verdict),
        attempt=max(1, len(counted)),
        max_attempts=most,
        lies=sum(row.verdict == Verdict.LIED for row in rows),
        retry_at=retry_at,
    )


def _is_no_fault(row: AgentAttempt) -> bool:
    """Whether an attempt ended because of people or of money."""
    return Verdict(row.verdict) in (Verdict.DENIED, Verdict.BLOCKED) or is_of_the_pool(row)


def is_of_the_pool(row: AgentAttempt) -> bool:
    """Whether an attempt ended because it had spent what it had reserved of its project's budget."""
    return row.ended == EndReason.OVER_BUDGET and row.reserved is not None


def goes_on_with_the_pool(rows: Sequence[AgentAttempt], budget: Decimal | None) -> bool:
    """Whether the latest attempt goes on once more of the project's budget can be had. `budget`: the step's own."""
    last = rows[-1]
    own_is_spent = budget is not None and cost_of_all(rows) >= budget
    return last.verdict == Verdict.OVER_BUDGET and is_of_the_pool(last) and not own_is_spent


def is_put_to_people(call: Call, run: Run, then: Next) -> bool:
    """Whether people are asked what follows. An undo that needs people holds its run as every other does."""
    if then.then is not Then.ASK or then.asked is None or call.purpose is Purpose.UNDO:
        return False
    if then.asked is Asked.TASK_FAILED and call.action.get("merges"):
        return False  # the merge that it is for asks, with both intents
    return then.asked in RESUMED or is_in_project(run)


def failed_at(rows: Sequence[AgentAttempt]) -> tuple[str, ...]:
    """The endpoints at which attempts were not accepted."""
    return tuple(dict.fromkeys(row.endpoint_name for row in rows if row.verdict not in ("", Verdict.DONE)))


def others(row: AgentAttempt) -> tuple[str, ...]:
    """The endpoints of its type at which an attempt was not."""
    rows = AgentEndpoint.objects.filter(agent_type=row.agent_type).exclude(name=row.endpoint_name)
    return tuple(rows.values_list("name", flat=True))


def is_spent(run: Run, rows: Sequence[AgentAttempt], budget: Decimal | None) -> bool:
    """Whether a task of a project has cost what it may."""
    return is_in_project(run) and budget is not None and cost_of_all(rows) >= budget


def cost_of_all(rows: Sequence[AgentAttempt]) -> Decimal:
    """Of these attempts, as far as it is known."""
    return sum((row.cost or Decimal(0) for row in rows), Decimal(0))
