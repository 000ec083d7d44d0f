"""The question to people once a project has spent its budget: asked once, whoever of its tasks comes first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestration.core.agent.asking import BUDGET_CHOICES, STAGES, Choice, choice_of, fields_for
from orchestration.core.agent.verdict import Asked
from orchestration.core.inquiry import Reply, ReplyStatus
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.models import Run
from orchestration.runs.spending.budget import key_of
from orchestration.runs.spending.funds import Funds

LABEL = "What the whole project may cost"
WHOLE = tuple(one for one in BUDGET_CHOICES if one is not Choice.DROP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """How the question stands. `goes_on`: the budget was raised. `is_ours`: this step had asked, and is told."""

    reply: Reply
    goes_on: bool
    is_ours: bool


def whole_budget(
    home: Run, funds: Funds, *, run: Run, step_id: str, iteration: int, attempt: int
) -> Spent:  # fmt: skip
    """What people say to a project's spent budget; asked by this step of the run, where nobody has asked yet.

    The caller holds a lock of the project, so that two tasks do not both ask.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
        BadInput: nobody could be asked.
    """
    service, key, me = inquiry_service(), key_of(funds.budget), (run, step_id, iteration)
    reply = service.find(home, key)
    if reply is None or reply.status is ReplyStatus.TAKEN_BACK:
        reply = service.put(_inquiry(home, funds, run=run, step_id=step_id, iteration=iteration, attempt=attempt))
    is_open = reply.status is ReplyStatus.OPEN
    goes_on = reply.status is ReplyStatus.ANSWERED and choice_of(Asked.BUDGET, reply) is not Choice.END
    mine = service.find(home, key, me) if is_open else None
    return Spent(reply=reply, goes_on=goes_on, is_ours=mine is not None and mine.request_id == reply.request_id)


def _inquiry(home: Run, funds: Funds, *, run: Run, step_id: str, iteration: int, attempt: int) -> Inquiry:
    answer, budget = fields_for(Asked.BUDGET, None)
    return Inquiry(
        run=run,
        step_id=step_id,
        iteration=iteration,
        attempt=attempt,
        key=key_of(funds.budget),
        stage=STAGES[Asked.BUDGET],
        title=f"Project '{home.workflow_id}' has spent its budget",
        lead=(
            f"The project has a budget of {funds.budget:f}. Its agents have spent {funds.spent:f}, those at work hold "
            f"{funds.held:f}, and what is left is not enough for task '{step_id}'. No further attempt begins without "
            "more; an end takes the work back."
        ),
        context={
            "project": home.workflow_id, "run": run.workflow_id, "task": step_id, "budget": f"{funds.budget:f}",
            "spent": f"{funds.spent:f}", "held": f"{funds.held:f}",
        },
        fields=(replace(answer, choices=WHOLE), replace(budget, label=LABEL)),
    )  # fmt: skip
