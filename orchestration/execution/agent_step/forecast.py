"""A project that takes longer than it was expected to: before its next attempt people say how it goes on."""

from __future__ import annotations

from datetime import datetime

from foundation.clock import database_now
from foundation.errors import BadInput
from orchestration.actions.base import Call, Result
from orchestration.agents.workspace import locks
from orchestration.agents.workspace.layout import Layout
from orchestration.core.agent.asking import ANSWER
from orchestration.core.enums import Cause, Outcome
from orchestration.core.inquiry import InquiryField, Reply, ReplyStatus
from orchestration.core.project.forecast import is_over
from orchestration.core.project.phases import PROJECT
from orchestration.execution.agent_step.result import NO_WORK
from orchestration.execution.agent_step.work import home_of
from orchestration.inquiries import Inquiry, inquiry_service
from orchestration.models import Run

STAGE = "re-plan"
GO_ON, AGAIN, END = "go on", "plan again", "end"
LOOK_SECONDS = 10.0
"""How often a step looks whether it was decided, where another step has asked."""
REPLANNED = "replanned"


def asked_first(call: Call, run: Run) -> Result | None:
    """The result of an attempt while people are asked, or once they have the rest planned again; None to go on.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
    """
    home = home_of(run)
    given = home.context.get(PROJECT) if home.kind == Run.PROJECT else None
    if not isinstance(given, dict) or not is_over(given, home.started_at, database_now()):
        return None
    if run.parent_id != home.pk or run.parent_step != "build":  # what was begun, or planned again, is not held up
        return None
    service = inquiry_service()
    with locks.held(Layout.of(home.workflow_id).locks / "forecast"):  # one of several that come at once asks
        reply = service.find(home, STAGE)
        try:
            if reply is None or reply.status is ReplyStatus.TAKEN_BACK:
                reply = service.put(_inquiry(call, run, home, home.started_at))
        except BadInput as error:
            return Result(outcome=Outcome.FAILED, error=f"nobody could be asked: {error.in_words()}")
    return _decided(call, run, reply)


def _decided(call: Call, run: Run, reply: Reply) -> Result | None:
    if reply.status is ReplyStatus.OPEN:
        mine = inquiry_service().find(home_of(run), STAGE, (run, call.step_id, call.iteration))
        again = None if mine is not None and mine.request_id == reply.request_id else LOOK_SECONDS
        why = f"the project takes longer than it was expected to; waits for approval '{reply.request_id}'"
        return Result(outcome=Outcome.PARKED, error=why, retry_after=again, detail={"request_id": reply.request_id})
    choice = (reply.text(ANSWER) or GO_ON) if reply.status is ReplyStatus.ANSWERED else END
    if choice == END:
        cause = Cause.TIMED_OUT if reply.status is ReplyStatus.EXPIRED else Cause.REJECTED
        return Result(outcome=Outcome.FAILED, error=reply.why[:2000], cause=cause)
    if choice == AGAIN:
        said = {"why": reply.comment[:1000], "request_id": reply.request_id}
        return Result(outcome=Outcome.SUCCEEDED, output={**NO_WORK, "verdict": REPLANNED, **said})
    return None


def _inquiry(call: Call, run: Run, home: Run, since: datetime | None) -> Inquiry:
    hours = home.context[PROJECT]["spec"].get("estimated_duration_hours")
    return Inquiry(
        run=run,
        step_id=call.step_id,
        iteration=call.iteration,
        attempt=call.attempt,
        key=STAGE,
        stage=STAGE,
        title=f"Project '{home.workflow_id}' takes longer than expected",
        lead=(
            f"It was expected to take {hours:g} hours, and has taken more than a fifth more. No further attempt begins "
            "until you say how it goes on. `plan again`: what is at work ends, and the tasks that are not begun are "
            "planned again with your comment."
        ),
        context={
            "project": home.workflow_id, "estimated_hours": hours, "task": call.step_id,
            "started_at": since.isoformat() if since else None,
        },
        fields=(InquiryField(name=ANSWER, label="What now?", kind="choice", choices=(GO_ON, AGAIN, END)),),
    )  # fmt: skip
