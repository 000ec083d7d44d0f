"""Questions, answers and comments beside the votes. They decide nothing."""

from __future__ import annotations

from approvals import notices
from approvals.models import Remark, Request
from approvals.people import Person
from approvals.services.view import found_request
from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.errors import BadInput, WrongState

KINDS = ("question", "answer", "comment")


def remark(*, request_id: str, actor: Actor, person: Person, kind: str, text: str) -> Request:
    roles.require(actor, "view")
    roles.within(actor, "approval.ask", "approval.decide")
    request = found_request(request_id)
    if kind not in KINDS:
        raise BadInput(f"'{kind}' is not a remark", field="kind", remedy=f"one of: {', '.join(KINDS)}")
    if not text.strip() or len(text) > 10_000:
        raise BadInput("the text is empty or too long", field="text", remedy="at most 10000 characters")
    if request.status in ("approved", "rejected", "expired", "withdrawn", "cancelled"):
        raise WrongState(f"it is {request.status} already", field="request_id")
    with sql.writing():
        said = Remark.objects.create(
            request=request, kind=kind, person=person.id, name=person.name, text=text, at=now()
        )
        notices.tell_remark(said)
        audit.record(actor=actor, action=f"approval.{kind}", workflow_id=request.request_id, note=text)
    return request
