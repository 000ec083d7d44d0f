"""The inquiries of steps: each is a request, put once, decided by every door (`orchestration.inquiries`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from approvals.core.content import Ask
from approvals.core.enums import Choice, Status
from approvals.models import Request
from approvals.queries.impact_at_work import INQUIRY
from approvals.requests.open_request import ask, shortened
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.visible_text import clean, cut, one_line
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.inquiry import InquiryField, Reply, ReplyStatus
from orchestration.inquiries import Inquiry
from orchestration.models import Run
from orchestration.runs.new_run import Parent

LONGEST_TEXT, LONGEST_TITLE, LONGEST_LABEL, LONGEST_STEM = 8_000, 200, 200, 40
STATUSES = {
    Status.APPROVED: ReplyStatus.ANSWERED,
    Status.REJECTED: ReplyStatus.REFUSED,
    Status.EXPIRED: ReplyStatus.EXPIRED,
    Status.WITHDRAWN: ReplyStatus.REFUSED,
    Status.CANCELLED: ReplyStatus.TAKEN_BACK,
}
MOST_GENERATIONS = 3
"""Generations of runs below a project in which its answers are looked for."""


def put(inquiry: Inquiry) -> Reply:
    """Open the request of this inquiry, or read its answer.

    Raises:
        Unreachable: the engine that would keep the request's time is away.
        BadInput: there is no such policy or approver, or nobody could decide.
    """
    parent = Parent(run=inquiry.run, step_id=inquiry.step_id, iteration=inquiry.iteration, attempt=inquiry.attempt)
    handle = _handle(inquiry)
    there = _under(handle)
    if there is not None and not parent.owns(there.run):
        handle = parent.other_handle(handle)  # another request has this handle already
        there = _under(handle)
    if there is None:
        name = one_line(inquiry.asker, 100) or f"run {inquiry.run.workflow_id}"
        actor = Actor(name=name, door="engine", roles=CONSOLE_ROLES)
        there, _ = ask(given=_ask_of(inquiry), actor=actor, request_id=handle, engine=inquiry.run.engine, parent=parent)
    return _reply(there)


def find(family: Run, key: str, step: tuple[Run, str, int] | None = None) -> Reply | None:
    """The reply to the latest request of this key that was answered; else to the latest one; None without any."""
    asked = Request.objects.filter(facts__inquiry=key)
    if step is not None:
        run, step_id, iteration = step
        asked = asked.filter(run__parent=run, run__parent_step=step_id, run__parent_iteration=iteration)
    else:
        below = Q(run__parent=family)
        for depth in range(1, MOST_GENERATIONS + 1):
            below |= Q(**{"__".join(["run", *["parent"] * (depth + 1)]): family})
        asked = asked.filter(below)
    found = list(asked.order_by("pk"))
    answered = [one for one in found if one.status == Status.APPROVED]
    return _reply((answered or found)[-1]) if found else None


def _handle(inquiry: Inquiry) -> str:
    """The same for every attempt; another one once the step was tried again by a person after its failure."""
    tried = inquiry.run.commands.filter(
        kind="run_action", step_id=inquiry.step_id, purpose=Purpose.FORWARD, iteration=inquiry.iteration,
        outcome=Outcome.FAILED,
    ).count()  # fmt: skip
    digest = hashlib.sha256(inquiry.key.encode()).hexdigest()[:16]
    stem = f"{inquiry.run.workflow_id}.{inquiry.step_id}.{inquiry.iteration}.{inquiry.stage[:LONGEST_STEM]}"
    return shortened(f"{stem}.{digest}" + (f"-{tried}" if tried else ""))


def _under(handle: str) -> Request | None:
    return Request.objects.filter(request_id=handle).select_related("run").first()


def _ask_of(inquiry: Inquiry) -> Ask:
    return Ask(
        stage=inquiry.stage,
        title=one_line(inquiry.title, LONGEST_TITLE),
        description="\n\n".join(_paragraphs(inquiry)),
        context={**inquiry.context, **({"answers": _offered(inquiry)} if inquiry.fields else {})},
        about=inquiry.run.workflow_id,
        step_id=inquiry.step_id,
        policy=inquiry.policy,
        approvers=inquiry.approvers,
        timeout_seconds=inquiry.timeout_seconds,
        form=tuple(map(_field, inquiry.fields)),
        for_agents=inquiry.for_agents,
        facts={
            "saga": str(inquiry.run.definition), "step": inquiry.step_id, "engine": inquiry.run.engine,
            INQUIRY: inquiry.key,
        },
    )  # fmt: skip


def _paragraphs(inquiry: Inquiry) -> Iterator[str]:
    """What an agent wrote is an indented block: no link, picture or heading in it is one."""
    yield cut(clean(inquiry.lead).strip(), LONGEST_TEXT)
    if inquiry.text.strip():
        lines = cut(clean(inquiry.text).strip("\n"), LONGEST_TEXT).split("\n")
        yield "\n".join(f"    {line}" for line in lines)


def _offered(inquiry: Inquiry) -> dict[str, Any]:
    """The form, as a part of what is decided."""
    return {one.name: list(one.choices) or one.kind for one in inquiry.fields}


def _field(one: InquiryField) -> dict[str, Any]:
    made: dict[str, Any] = {"name": one.name, "label": one_line(one.label, LONGEST_LABEL), "type": one.kind}
    return made | {"required": one.required} | ({"choices": list(one.choices)} if one.choices else {})


def _reply(request: Request) -> Reply:
    votes = list(request.votes.filter(round=request.round))
    said = [vote.answers for vote in votes if vote.choice == Choice.APPROVE]
    last, by = votes[-1] if votes else None, request.decided_by
    return Reply(
        status=STATUSES.get(Status(request.status), ReplyStatus.OPEN),
        request_id=request.request_id,
        answers={name: value for answers in said for name, value in answers.items()},
        comment=last.comment if last is not None else "",
        by=by,
        at=request.decided_at,
        why=f"approval '{request}' is {request.status}" + (f" by {by}" if by else ""),
    )


class ApprovalInquiries:
    """Implements `orchestration.inquiries.InquiryService`; the setting ZEN_INQUIRIES names `INQUIRIES`."""

    def put(self, inquiry: Inquiry) -> Reply:
        """See `put`."""
        return put(inquiry)

    def find(self, family: Run, key: str, step: tuple[Run, str, int] | None = None) -> Reply | None:
        """See `find`."""
        return find(family, key, step)


INQUIRIES = ApprovalInquiries()
