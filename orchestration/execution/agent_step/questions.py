"""What people are asked about an agent's step, and how its next attempt goes on with what they said.

Everything follows from the latest row of the step's attempts, so it may be asked again at any time: after a lost
worker, and each time the step is told to look again. While people think, the attempt is parked: no endpoint is held, no
time of the agent is counted, and no retry is used up. The end of the request makes the engine perform the step at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from foundation.errors import BadInput
from orchestration.actions.base import Call, Result
from orchestration.core.agent.asking import Choice, answer_to, choice_of, question_from, raised_to, told
from orchestration.core.agent.session import Answer, Question
from orchestration.core.agent.verdict import Asked, Next, Then, Verdict
from orchestration.core.enums import Cause, Outcome
from orchestration.core.inquiry import Reply, ReplyStatus
from orchestration.execution.agent_step.follows import (
    RESUMED,
    failed_at,
    follows,
    goes_on_with_the_pool,
    is_put_to_people,
    is_spent,
    others,
)
from orchestration.execution.agent_step.inquiry import inquiry_of, key_of
from orchestration.execution.agent_step.result import NO_WORK
from orchestration.execution.agent_step.work import home_of, is_in_project
from orchestration.inquiries import inquiry_service
from orchestration.models import AgentAttempt, Run

MORE_MONEY = "Go on with the task: you may take more rounds."


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """How the next attempt begins. `told`: what people said, for the agent; '' for nothing.

    `resume`: the attempt whose session and worktree it goes on with. `avoid`: names of endpoints that get the attempt
    only where no other is free. `budget`: what the step may cost by now; None for no bound.
    """

    told: str = ""
    resume: AgentAttempt | None = None
    avoid: tuple[str, ...] = ()
    budget: Decimal | None = None


def put(call: Call, run: Run, rows: Sequence[AgentAttempt], then: Next) -> Result:
    """Ask about the latest attempt, and park; comes again at once where the answer is known already.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
    """
    try:
        reply = inquiry_service().put(inquiry_of(call, run, rows, then))
    except BadInput as error:
        return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
    again = 0.0 if reply.status is not ReplyStatus.OPEN else None
    return Result(outcome=Outcome.PARKED, error=_waits(reply), retry_after=again, detail=_detail(rows[-1], reply))


def beginning(call: Call, run: Run, rows: Sequence[AgentAttempt], budget: Decimal | None = None) -> Result | GoOn:
    """How the attempt begins after these; or its result, while people are asked or once they have ended the task.

    `rows`: the attempts of the step's iteration, in their order. `budget`: what they may cost together.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
    """
    judged = [row for row in rows if row.verdict]
    by_now = budget_after(run, call, judged, budget)
    if not judged or judged[-1].verdict == Verdict.DONE:
        return GoOn(budget=by_now)
    if goes_on_with_the_pool(judged, by_now):
        return GoOn(told=MORE_MONEY, resume=judged[-1], avoid=others(judged[-1]), budget=by_now)
    then = follows(run, call.step_id, judged)
    if not is_put_to_people(call, run, then) and is_spent(run, judged, by_now):
        then = Next(then=Then.ASK, asked=Asked.BUDGET)
    if not is_put_to_people(call, run, then) or then.asked is None:
        return GoOn(budget=by_now, avoid=failed_at(judged))
    try:
        reply = inquiry_service().put(inquiry_of(call, run, judged, then))
    except BadInput as error:
        return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
    match reply.status:
        case ReplyStatus.OPEN:
            return Result(outcome=Outcome.PARKED, error=_waits(reply), detail=_detail(judged[-1], reply))
        case ReplyStatus.EXPIRED:
            return _ended(reply, Cause.TIMED_OUT)
        case ReplyStatus.TAKEN_BACK:
            return _ended(reply, Cause.CANCELLED)
    return _decided(judged, then.asked, reply, by_now)


def known_answer(run: Run, call: Call, question: Question) -> Answer | None:
    """What people have said to this question before: to an agent's question in the whole project, to a permission in
    this step. None where they were not asked, or have not answered."""
    step = (run, call.step_id, call.iteration) if question.kind == "permission" else None
    reply = inquiry_service().find(home_of(run), question.digest, step)
    return None if reply is None else answer_to(question, reply)


def budget_after(run: Run, call: Call, rows: Sequence[AgentAttempt], budget: Decimal | None) -> Decimal | None:
    """The budget of a step with what people have raised it to."""
    if budget is None or not is_in_project(run):
        return budget
    for row in rows:
        reply = inquiry_service().find(home_of(run), key_of(Asked.BUDGET, row), (run, call.step_id, call.iteration))
        if (
            reply is not None
            and reply.status is ReplyStatus.ANSWERED
            and choice_of(Asked.BUDGET, reply) is Choice.RAISE
        ):
            budget = raised_to(reply, budget)
    return budget


def _decided(rows: Sequence[AgentAttempt], asked: Asked, reply: Reply, budget: Decimal | None) -> Result | GoOn:
    last = rows[-1]
    if asked in RESUMED:
        question = question_from(last.question) if last.question else None
        return GoOn(told=told(asked, question, reply), resume=last, avoid=others(last), budget=budget)
    match choice_of(asked, reply):
        case Choice.END:
            return _ended(reply, Cause.REJECTED)
        case Choice.DROP:
            return Result(outcome=Outcome.SUCCEEDED, output=_dropped(last, reply), detail=_detail(last, reply))
        case Choice.RAISE:
            return GoOn(told=told(asked, None, reply), resume=last, avoid=others(last), budget=budget)
        case choice:
            words = f"What people said: {reply.comment.strip()}" if reply.comment.strip() else ""
            avoid = others(last) if choice is Choice.AGAIN else failed_at(rows)
            return GoOn(told=words, avoid=avoid, budget=budget)


def _dropped(last: AgentAttempt, reply: Reply) -> dict[str, JsonValue]:
    """The output of a task that people gave up: it has no commit, so nothing of it is merged."""
    return {
        **NO_WORK, "verdict": "dropped", "base": last.base, "branch": last.branch, "agent_type": last.agent_type,
        "endpoint": last.endpoint_name, "dropped_by": reply.by, "why": reply.comment[:1000],
        "request_id": reply.request_id,
    }  # fmt: skip


def _ended(reply: Reply, cause: Cause) -> Result:
    said = f": {reply.comment}" if reply.comment else ""
    return Result(outcome=Outcome.FAILED, error=f"{reply.why}{said}"[:2000], cause=cause)


def _waits(reply: Reply) -> str:
    return f"waits for approval '{reply.request_id}'"


def _detail(row: AgentAttempt, reply: Reply) -> dict[str, JsonValue]:
    return {"agent_attempt": row.pk, "verdict": row.verdict, "request_id": reply.request_id}
