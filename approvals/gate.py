"""The gate of a saga's step: look for the grant, ask when there is none, spend it when there is (docs/adr/0006)."""

from __future__ import annotations

from typing import Any

from approvals.content import content_hash, laid_over
from approvals.core.words import Choice, Status
from approvals.folding import CAUSES
from approvals.models import Request
from approvals.services.ask import ask, ask_again, handle_for_gate
from approvals.services.question import Ask
from orchestration import audit, sql
from orchestration.audit import CONSOLE_ROLES, Actor
from orchestration.clock import now
from orchestration.core.words import Cause, Outcome, Purpose
from orchestration.errors import Unreachable, ZenError
from orchestration.gates import Knock, Open, Shut
from orchestration.kin import head_of
from orchestration.models import Run
from orchestration.services.start import Parent

GIVEN_UP_BY = ("", "parent run")
"""Who is said to have cancelled a request that its run, or the reconciler, gave up; anybody else is a person."""


def look(knock: Knock) -> Open | Shut:
    """Called by the step's attempt, and by each repetition of it: the rows say what has happened already."""
    given, actor = _ask_of(knock), _actor(knock)
    try:
        request, _ = _opened(knock, given, actor)
    except Unreachable:
        raise
    except ZenError as error:
        return Shut(why=f"the approval was refused: {error}")
    status = Status(request.status)
    changed = content_hash(given.content()) != request.content_hash
    if changed and (not status.is_end or (status is Status.APPROVED and not request.spent_by)):
        ask_again(request=request, given=given, actor=actor)
        return Shut(parked=True, why=f"what approval '{request}' is about has changed; it is asked anew")
    if not status.is_end:
        return Shut(parked=True, why=f"waits for approval '{request}'")
    if status is not Status.APPROVED:
        return Shut(why=_words(request), cause=CAUSES.get(status, Cause.REJECTED))
    return _spend(knock, request, given, actor)


def _opened(knock: Knock, given: Ask, actor: Actor) -> tuple[Request, bool]:
    """The request of this step, opened now if nobody has asked yet.

    A no that was reported is asked anew by a retry, and what the run gave up is asked anew when it goes on after all:
    both only ever grow, so no handle is used twice.
    """
    run, row = knock.run, knock.row
    reported = run.commands.filter(
        kind="run_action", step_id=row.step_id, purpose=Purpose.FORWARD, iteration=row.iteration,
        outcome=Outcome.FAILED,
    ).count()  # fmt: skip
    given_up = Request.objects.filter(
        run__parent=run, run__parent_step=row.step_id, run__parent_iteration=row.iteration,
        status=Status.CANCELLED, decided_by__in=GIVEN_UP_BY,
    ).count()  # fmt: skip
    handle = handle_for_gate(run.workflow_id, row.step_id, row.iteration, reported + given_up)
    parent = Parent(run=run, step_id=row.step_id, iteration=row.iteration, attempt=row.attempt)
    there = _under(handle)
    taken = Run.objects.filter(workflow_id=handle).exists() if there is None else not parent.owns(there.run)
    if taken:
        handle = parent.other_handle(handle)  # somebody has taken the name beforehand
        there = _under(handle)
    if there is not None and parent.owns(there.run):
        return there, False
    return ask(given=given, actor=actor, request_id=handle, engine=run.engine, parent=parent)


def _under(handle: str) -> Request | None:
    return Request.objects.filter(request_id=handle).select_related("run").first()


def _spend(knock: Knock, request: Request, given: Ask, actor: Actor) -> Open | Shut:
    """Once: by this step's idempotency key, for exactly the content that was approved."""
    if content_hash(given.content()) != request.content_hash:
        return Shut(why="what was approved is not what would be done now; rerun the step to ask for this")
    with sql.writing():
        mine = Request.objects.filter(
            pk=request.pk, status=Status.APPROVED, round=request.round, content_hash=request.content_hash,
            spent_by__in=["", knock.key],
        )  # fmt: skip
        if not mine.update(spent_by=knock.key):
            why = "the approval was used already, taken back, or asked anew for something else"
            return Shut(why=why, cause=Cause.REJECTED)
        if Request.objects.filter(pk=request.pk, spent_at=None).update(spent_at=now()):
            audit.record(
                actor=actor, action="approval.spend", workflow_id=request.request_id, key=knock.key,
                content=request.content_hash,
            )  # fmt: skip
    content = laid_over(request.content, request.edits)
    return Open(output=_output(request, content), action=content.get("action"))


def _output(request: Request, content: dict[str, Any]) -> dict[str, Any]:
    votes = request.votes.filter(round=request.round)
    return {
        "request_id": request.request_id,
        "status": request.status,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
        "approvers": [vote.name for vote in votes if vote.choice == Choice.APPROVE],
        "comments": [{"name": vote.name, "comment": vote.comment} for vote in votes if vote.comment],
        "answers": {name: value for vote in votes for name, value in vote.answers.items()},
        "context": content["context"],
    }


def _words(request: Request) -> str:
    last = request.votes.filter(round=request.round).last()
    by = f" by {request.decided_by}" if request.decided_by else ""
    comment = f": {last.comment}" if last is not None and last.comment else ""
    return f"approval '{request}' is {request.status}{by}{comment}"


def _ask_of(knock: Knock) -> Ask:
    given: dict[str, Any] = dict(knock.ask)
    step = knock.step
    return Ask(
        stage=given.get("stage") or step.step_id,
        description=str(given.get("description") or step.description or step.title),
        title=step.name or "",
        context=given.get("context") or {},
        action=knock.action,
        about=knock.run.workflow_id,
        step_id=step.step_id,
        policy=given.get("policy") or "",
        approvers=tuple(given.get("approvers") or ()),
        how_many=given.get("how_many") or "any",
        editable=tuple(given.get("editable") or ()),
        timeout_seconds=given.get("timeout_seconds"),
        callback_url=given.get("callback_url") or "",
        facts={"saga": str(knock.run.definition), "step": step.step_id, "engine": knock.run.engine},
    )


def _actor(knock: Knock) -> Actor:
    """The run asks in the name of whoever started it; a child in the name of whoever started the head of its family."""
    run = head_of(knock.run)
    name = run.created_by or f"run {run.workflow_id}"
    return Actor(name=name, door="engine", roles=CONSOLE_ROLES, user_id=run.created_by_id)
