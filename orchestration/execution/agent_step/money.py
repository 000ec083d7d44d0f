"""The part of its project's budget that an attempt reserves before it begins, and people, once nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from foundation.db import statements
from foundation.errors import BadInput
from orchestration.actions.base import Call, Result
from orchestration.agents.workspace import locks
from orchestration.agents.workspace.layout import Layout
from orchestration.core.enums import Cause, Outcome
from orchestration.core.inquiry import ReplyStatus
from orchestration.execution.agent_step.questions import GoOn
from orchestration.execution.agent_step.work import home_of
from orchestration.models import Run
from orchestration.runs.spending.asking import whole_budget
from orchestration.runs.spending.funds import NOTHING, funds_of, lock, share

LOOK_SECONDS = 10.0
"""How often a step looks whether the budget was raised, where another step has asked."""
MORE = "goes on with what its project has left"
TAKEN = "others have reserved what was left of the project's budget"


def is_enough(amount: Decimal | None) -> bool:
    """Whether an attempt can begin with it. None: nothing bounds it."""
    return amount is None or amount > NOTHING


def asked_first(call: Call, run: Run, begin: GoOn) -> Result | None:
    """The result of an attempt for which its project has nothing left; None where it can begin.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
    """
    home = home_of(run)
    funds = funds_of(home)
    if funds is None or share(funds, run, call.step_id) > NOTHING:
        return None
    with locks.held(Layout.of(home.workflow_id).locks / "budget"):  # one of several that come at once asks
        try:
            spent = whole_budget(
                home, funds, run=run, step_id=call.step_id, iteration=call.iteration, attempt=call.attempt
            )
        except BadInput as error:
            return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
    reply = spent.reply
    if spent.goes_on:
        return Result(outcome=Outcome.PARKED, error="the project's budget was raised", retry_after=0.0)
    if reply.status is ReplyStatus.OPEN:
        again = None if spent.is_ours else LOOK_SECONDS
        why = f"the budget of project '{home.workflow_id}' is spent; waits for approval '{reply.request_id}'"
        return Result(outcome=Outcome.PARKED, error=why, retry_after=again, detail={"request_id": reply.request_id})
    cause = Cause.TIMED_OUT if reply.status is ReplyStatus.EXPIRED else Cause.REJECTED
    return Result(outcome=Outcome.FAILED, error=f"the project's budget is spent: {reply.why}"[:2000], cause=cause)


@contextmanager
def reserved(run: Run, step_id: str, most: Decimal | None) -> Iterator[Decimal | None]:
    """What the attempt may spend, None for no bound. The caller stores it inside, before anybody else looks.

    `most`: what the step's own budget has left.
    """
    home = home_of(run)
    with statements.writing():
        lock(home)
        funds = funds_of(home)
        yield None if funds is None else share(funds, run, step_id, most=most)
