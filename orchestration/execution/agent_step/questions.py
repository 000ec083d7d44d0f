"""What people are asked about an agent's step, and how its next attempt goes on with what they said.

Everything follows from the latest row of the step's attempts, so it may be asked again at any time: after a lost
worker, and each time the step is told to look again. While people think, the attempt is parked: no endpoint is held, no
time of the agent is counted, and no retry is used up. The end of the request makes the engine perform the step at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from foundation.errors import BadInput
from orchestration.actions.base import Call, Result
from orchestration.core.agent.asking import (
    STAGES,
    Choice,
    answer_to,
    choice_of,
    fields_for,
    question_from,
    raised_to,
    told,
)
from orchestration.core.agent.session import Answer, EndReason, Question
from orchestration.core.agent.verdict import Asked, Next, Then, Verdict, after
from orchestration.core.enums import Cause, Outcome, Purpose
from orchestration.core.inquiry import Reply, ReplyStatus
from orchestration.execution.agent_step.record import LOST
from orchestration.execution.agent_step.work import PROJECT, home_of
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import AgentAttempt, AgentEndpoint, Run
from orchestration.runs.acts.rework import changes_wanted

RESUMED = (Asked.PERMISSION, Asked.QUESTION)
OF_PROJECTS = (Asked.TASK_FAILED, Asked.BUDGET)
"""What is asked in projects alone: elsewhere the step fails, and its saga says what follows."""
MOST_FACTS, LONGEST_FACT = 20, 500
MORE_MONEY = "Go on with the task: you may take more rounds."
LEADS = {
    Asked.PERMISSION: "The agent at '{endpoint}' asks whether it may do this, and waits.",
    Asked.QUESTION: "The agent at '{endpoint}' cannot go on without an answer.",
    Asked.BUDGET: "The agent at '{endpoint}' has used up what the task may take.",
    Asked.TASK_FAILED: "No attempt of the task was accepted. The last one, at '{endpoint}', came to '{verdict}'.",
}


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


def follows(run: Run, step_id: str, rows: Sequence[AgentAttempt], *, retry_at: datetime | None = None) -> Next:
    """What follows the latest of these attempts of a step, which has its verdict.

    In a project the last attempt is followed by a question; elsewhere the flow keeps the count.
    """
    last = rows[-1]
    counted = [row for row in rows if row.error != LOST and not _is_no_fault(row)]
    step = next(one for one in definition_of(run).steps if one.step_id == step_id)
    most = step.retry_count + 1 if home_of(run).kind == PROJECT else len(counted) + 2
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
    is_spent = budget is not None and _cost(rows) >= budget
    return last.verdict == Verdict.OVER_BUDGET and is_of_the_pool(last) and not is_spent


def is_put_to_people(call: Call, run: Run, then: Next) -> bool:
    """Whether people are asked what follows. An undo that needs people holds its run as every other does."""
    if then.then is not Then.ASK or then.asked is None or call.purpose is Purpose.UNDO:
        return False
    if then.asked is Asked.TASK_FAILED and call.action.get("merges"):
        return False  # the merge that it is for asks, with both intents
    return then.asked in RESUMED or home_of(run).kind == PROJECT


def put(call: Call, run: Run, rows: Sequence[AgentAttempt], then: Next) -> Result:
    """Ask about the latest attempt, and park; comes again at once where the answer is known already.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
    """
    try:
        reply = inquiry_service().put(_inquiry(call, run, rows, then))
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
    if not is_put_to_people(call, run, then) and _is_spent(run, judged, by_now):
        then = Next(then=Then.ASK, asked=Asked.BUDGET)
    if not is_put_to_people(call, run, then) or then.asked is None:
        return GoOn(budget=by_now, avoid=failed_at(judged))
    try:
        reply = inquiry_service().put(_inquiry(call, run, judged, then))
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
    if budget is None or home_of(run).kind != PROJECT:
        return budget
    for row in rows:
        reply = inquiry_service().find(home_of(run), _key(Asked.BUDGET, row), (run, call.step_id, call.iteration))
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


def failed_at(rows: Sequence[AgentAttempt]) -> tuple[str, ...]:
    """The endpoints at which attempts were not accepted."""
    return tuple(dict.fromkeys(row.endpoint_name for row in rows if row.verdict not in ("", Verdict.DONE)))


def others(row: AgentAttempt) -> tuple[str, ...]:
    """The endpoints of its type at which an attempt was not."""
    rows = AgentEndpoint.objects.filter(agent_type=row.agent_type).exclude(name=row.endpoint_name)
    return tuple(rows.values_list("name", flat=True))


def _is_spent(run: Run, rows: Sequence[AgentAttempt], budget: Decimal | None) -> bool:
    return home_of(run).kind == PROJECT and budget is not None and _cost(rows) >= budget


def _cost(rows: Sequence[AgentAttempt]) -> Decimal:
    return sum((row.cost or Decimal(0) for row in rows), Decimal(0))


def wanted(run: Run, call: Call) -> str:
    """What people asked to be changed in what the step did before, for its agent; '' for nothing."""
    words = changes_wanted(run, call.step_id)[-MOST_FACTS:]
    lines = "\n".join(f"- {one}" for one in words)
    return f"## Changes that people asked for\n\n{lines}" if words else ""


def accepted_before(run: Run, call: Call) -> AgentAttempt | None:
    """The attempt of the step's last iteration whose work was accepted, where people asked for changes since."""
    if not changes_wanted(run, call.step_id):
        return None
    rows = AgentAttempt.objects.filter(
        run=run, step_id=call.step_id, iteration__lt=call.iteration, verdict=Verdict.DONE
    ).exclude(commit="")
    return rows.order_by("iteration", "id").last()


def _dropped(last: AgentAttempt, reply: Reply) -> dict[str, JsonValue]:
    """The output of a task that people gave up: it has no commit, so nothing of it is merged."""
    return {
        "verdict": "dropped", "commit": None, "base": last.base, "branch": last.branch, "agent_type": last.agent_type,
        "endpoint": last.endpoint_name, "cost": None, "dropped_by": reply.by, "why": reply.comment[:1000],
        "request_id": reply.request_id,
    }  # fmt: skip


def _ended(reply: Reply, cause: Cause) -> Result:
    said = f": {reply.comment}" if reply.comment else ""
    return Result(outcome=Outcome.FAILED, error=f"{reply.why}{said}"[:2000], cause=cause)


def _inquiry(call: Call, run: Run, rows: Sequence[AgentAttempt], then: Next) -> Inquiry:
    last, asked = rows[-1], then.asked or Asked.TASK_FAILED
    question = question_from(last.question) if last.question and asked in RESUMED else None
    step = next(one for one in definition_of(run).steps if one.step_id == call.step_id)
    gate = step.approval
    lead = LEADS[asked].format(endpoint=last.endpoint_name, verdict=last.verdict.replace("_", " "))
    return Inquiry(
        run=run,
        step_id=call.step_id,
        iteration=call.iteration,
        attempt=call.attempt,
        key=_key(asked, last),
        stage=STAGES[asked],
        title=_title(asked, step.title, question),
        lead=lead,
        text=question.text if question is not None else "\n".join(_facts(last)),
        context=_context(run, rows, asked),
        fields=fields_for(asked, question),
        asker=f"agent {last.endpoint_name}" if asked in RESUMED else "",
        policy=str(gate.policy or "") if gate is not None else "",
        approvers=tuple(gate.approvers or ()) if gate is not None else (),
    )


def _key(asked: Asked, row: AgentAttempt) -> str:
    """Of a question its digest, so that the same one is never asked twice; of anything else the attempt."""
    if asked in RESUMED and row.question:
        return str(row.question.get("digest") or "")
    return f"{asked}:{row.run_id}:{row.step_id}:{row.iteration}:{row.attempt}"


def _title(asked: Asked, step: str, question: Question | None) -> str:
    if asked is Asked.TASK_FAILED:
        return f"Task '{step}' failed: what now?"
    if asked is Asked.BUDGET:
        return f"Task '{step}' has spent its budget"
    what = "asks for permission" if asked is Asked.PERMISSION else "asks"
    return f"{step}: the agent {what}" + (f": {question.tool}" if question is not None and question.tool else "")


def _facts(row: AgentAttempt) -> list[str]:
    facts = [str(one)[:LONGEST_FACT] for one in row.facts[:MOST_FACTS]] or [row.error[:LONGEST_FACT]]
    return [one for one in facts if one] + ([f"Its last words: {row.text[:LONGEST_FACT]}"] if row.text else [])


def _context(run: Run, rows: Sequence[AgentAttempt], asked: Asked) -> dict[str, JsonValue]:
    """The facts. They are those of the latest attempt, so the same request is made however often it is asked for."""
    last = rows[-1]
    found: dict[str, JsonValue] = {
        "run": run.workflow_id,
        "project": home_of(run).workflow_id,
        "agent": f"{last.agent_type} at {last.endpoint_name}",
        "attempts": len(rows),
    }
    if asked in RESUMED:
        return found | ({"tool": str(last.question.get("tool") or "")} if last.question else {})
    diff = last.diff or {}
    return found | {
        "verdict": last.verdict,
        "commit": last.commit or None,
        "diff": {name: diff.get(name) for name in ("files_changed", "added", "removed")},
        "tests_changed": [str(one.get("path")) for one in (diff.get("tests") or [])[:MOST_FACTS]],
        "checks": [
            {"command": one.get("command"), "passed": one.get("passed"), "why": one.get("why")}
            for one in last.checks[:MOST_FACTS]
        ],
        "weakened_tests": [str(one)[:LONGEST_FACT] for one in last.tampering[:MOST_FACTS]],
        "evidence": dict(list(last.evidence.items())[:MOST_FACTS]),
        "cost_so_far": f"{_cost(rows):f}",
    }


def _waits(reply: Reply) -> str:
    return f"waits for approval '{reply.request_id}'"


def _detail(row: AgentAttempt, reply: Reply) -> dict[str, JsonValue]:
    return {"agent_attempt": row.pk, "verdict": row.verdict, "request_id": reply.request_id}
