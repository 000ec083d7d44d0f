"""The gate of a saga's step: look for the grant, ask when there is none, spend it when there is (docs/adr/0006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.client import request_human_approval
from approvals.core.content import Ask, apply_edits, content_hash
from approvals.core.enums import Choice, Status
from approvals.models import Request
from approvals.policies import principals
from approvals.queries.impact_at_work import INQUIRY
from approvals.requests.open_request import ask, ask_again, handle_for_gate
from approvals.requests.policy_choice import as_it_was_asked, policy_of, refuse_strangers
from approvals.requests.state.locked_request import CAUSES, REWORK, REWORKED
from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import Unreachable, ZenError
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.core.enums import Cause, Outcome, Purpose
from orchestration.core.templates import placeholders
from orchestration.models import Run
from orchestration.ports import GateClosed, GateOpen, GateRequest
from orchestration.runs.descendants import head_of
from orchestration.runs.external import carry_on
from orchestration.runs.new_run import Parent

GIVEN_UP_BY = ("", "parent run")
"""`decided_by` of requests that their run, or the reconciler, cancelled; any other value is a person."""


def evaluate(asked: GateRequest) -> GateOpen | GateClosed:
    """Open the request of this step, or read its answer; an approved one is spent, once, for exactly its content.

    Called by each attempt of the step, and again when one is repeated: the rows say what has happened already.

    Raises:
        Unreachable: the engine that would keep the request's time is away; the attempt is repeated.
    """
    given, actor = _ask_of(asked), _actor(asked)
    try:
        request, _ = _opened(asked, given, actor)
    except Unreachable:
        raise
    except ZenError as error:
        return GateClosed(why=f"the approval was refused: {error}")
    status = Status(request.status)
    changed = content_hash(given.content()) != request.content_hash
    if changed and (not status.is_end or (status is Status.APPROVED and not request.spent_by)):
        ask_again(request=request, given=given, actor=actor)
        return GateClosed(parked=True, why=f"what approval '{request}' is about has changed; a new request is made")
    if not status.is_end:
        return GateClosed(parked=True, why=f"waits for approval '{request}'")
    if status is not Status.APPROVED:
        return GateClosed(why=_words(request), cause=CAUSES.get(status, Cause.REJECTED))
    return _spend(asked, request, given, actor)


def _opened(asked: GateRequest, given: Ask, actor: Actor) -> tuple[Request, bool]:
    """The request of this step, opened now if there is none.

    A no that was reported is asked again by a retry, and a request that the run gave up is asked again when it goes on:
    the number of both only grows, so no handle is used twice.
    """
    run, row = asked.run, asked.row
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
        handle = parent.other_handle(handle)  # another run or request has this handle already
        there = _under(handle)
    if there is not None and parent.owns(there.run):
        return there, False
    if not (reported or given_up):
        carried = _carried(parent, given, actor)
        if carried is not None:
            return carried, False
    return ask(given=given, actor=actor, request_id=handle, engine=run.engine, parent=parent)


def _carried(parent: Parent, given: Ask, actor: Actor) -> Request | None:
    """The request of an earlier iteration, at which changes were asked for: it goes on with what it is about now, in a
    new round. None where there is none."""
    asked = Request.objects.filter(run__parent=parent.run, run__parent_step=parent.step_id).exclude(
        facts__has_key=INQUIRY
    )
    mine = asked.filter(run__parent_iteration=parent.iteration).select_related("run").last()
    if mine is not None:
        return mine
    left = asked.filter(run__parent_iteration__lt=parent.iteration, status=Status.CHANGES_REQUESTED)
    earlier = left.select_related("run").order_by("pk").last()
    if earlier is None:
        return None
    carry_on(earlier.run, parent)
    ask_again(request=earlier, given=given, actor=actor, even_same=True)
    earlier.refresh_from_db()
    return earlier


def _under(handle: str) -> Request | None:
    return Request.objects.filter(request_id=handle).select_related("run").first()


def _spend(asked: GateRequest, request: Request, given: Ask, actor: Actor) -> GateOpen | GateClosed:
    """Once: by this step's idempotency key, for exactly the content that was approved."""
    if content_hash(given.content()) != request.content_hash:
        return GateClosed(why="the approved action differs from the one to be performed; rerun the step to ask again")
    with statements.writing():
        mine = Request.objects.filter(
            pk=request.pk, status=Status.APPROVED, round=request.round, content_hash=request.content_hash,
            spent_by__in=["", asked.key],
        )  # fmt: skip
        if not mine.update(spent_by=asked.key):
            why = "the approval was already used, revoked, or replaced by a new request"
            return GateClosed(why=why, cause=Cause.REJECTED)
        if Request.objects.filter(pk=request.pk, spent_at=None).update(spent_at=now()):
            audit.record(
                actor=actor, action="approval.spend", workflow_id=request.request_id, key=asked.key,
                content=request.content_hash,
            )  # fmt: skip
    content = apply_edits(request.content, request.edits)
    return GateOpen(output=_output(request, content), action=content.get("action"))


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


def _ask_of(asked: GateRequest) -> Ask:
    given: dict[str, Any] = dict(asked.ask)
    step = asked.step
    return Ask(
        stage=given.get("stage") or step.step_id,
        description=str(given.get("description") or step.description or step.title),
        title=step.name or "",
        context=given.get("context") or {},
        action=asked.action,
        about=asked.run.workflow_id,
        step_id=step.step_id,
        policy=given.get("policy") or "",
        approvers=tuple(given.get("approvers") or ()),
        how_many=given.get("how_many") or "any",
        editable=tuple(given.get("editable") or ()),
        timeout_seconds=given.get("timeout_seconds"),
        callback_url=given.get("callback_url") or "",
        form=tuple(given.get("form") or ()),
        facts={
            "saga": str(asked.run.definition),
            "step": step.step_id,
            "engine": asked.run.engine,
            **({REWORK: given["rework"], REWORKED: given.get("reworked", 0)} if given.get("rework") else {}),
        },
    )


def _actor(asked: GateRequest) -> Actor:
    """The person who started the run; for a child run, who started the run at the head of its family."""
    run = head_of(asked.run)
    name = run.created_by or f"run {run.workflow_id}"
    return Actor(name=name, door="engine", roles=CONSOLE_ROLES, user_id=run.created_by_id)


def check(step_id: str, ask: Mapping[str, Any]) -> None:
    """Check what a definition says about a gate. What comes from a template is not known yet, and is passed over.

    Raises:
        BadInput: a policy, user or group does not exist, or an address is none.
    """
    stage, named = ask.get("stage") or step_id, tuple(ask.get("approvers") or ())
    known = tuple(name for name in named if not placeholders(name))
    if (named and not known) or placeholders([stage, ask.get("policy")]):
        return
    how_many = ask.get("how_many") or "any"
    given = Ask(
        stage=stage,
        policy=ask.get("policy") or "",
        form=tuple(ask.get("form") or ()),
        approvers=known,
        how_many="any" if placeholders(how_many) else how_many,
    )
    with as_it_was_asked(given):
        _, policy = policy_of(given)
        refuse_strangers(given, principals.resolve(policy))


class ApprovalsGate:
    """Implements `orchestration.ports.ApprovalGate`; the setting ZEN_APPROVAL_GATE names `GATE`."""

    def check(self, step_id: str, ask: Mapping[str, Any]) -> None:
        """See `check`."""
        check(step_id, ask)

    def evaluate(self, asked: GateRequest) -> GateOpen | GateClosed:
        """See `evaluate`."""
        return evaluate(asked)

    async def ask(self, workflow_id: str, stage: str, description: str, **more: Any) -> dict[str, Any]:
        """See `approvals.client.request_human_approval`."""
        return await request_human_approval(workflow_id, stage, description, **more)


GATE = ApprovalsGate()
