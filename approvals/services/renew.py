"""A request whose content has changed begins a new round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from approvals import folding, people
from approvals.content import MOST_BYTES, content_hash
from approvals.core.codec import PLAN
from approvals.core.events import ContentChanged
from approvals.core.words import Status
from approvals.folding import Held
from approvals.models import Request
from approvals.own import asked_it
from approvals.ringing import ring
from approvals.services.held import database_now, held_now
from approvals.services.view import found_request
from approvals.title import title_of
from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.audit_chain.canonical import settled
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.shape import plain_json
from orchestration.core.templates.tokens import SECRET, texts_in
from orchestration.errors import BadInput, WrongState
from orchestration.givers import Giver


def resubmit(
    *, request_id: str, actor: Actor, description: str | None = None, context: Mapping[str, Any] | None = None,
    note: str = "",
) -> Request:  # fmt: skip
    """By whoever asked: with another content, or with the same one when changes were asked for and made elsewhere."""
    roles.require(actor, "view")
    roles.within(actor, "approval.ask", "approval.manage")
    with held_now(found_request(request_id).run_id) as (held, _):
        if not asked_it(held.request, actor):
            roles.require(actor, "approval.manage")
        if held.request.step_id:
            raise WrongState("what a step asks comes from its run", field="request_id", remedy="rerun the step")
        if held.state.status is Status.APPROVED:
            raise WrongState("it is approved already", field="request_id", remedy="ask anew for another content")
        if held.state.status.is_end:
            raise WrongState(f"it is {held.state.status} already", field="request_id", remedy="ask anew")
        content = {**held.request.content}
        if description is not None:
            content["description"] = description
        if context is not None:
            content["context"] = dict(context)
        if held.state.status is not Status.CHANGES_REQUESTED and content_hash(content) == held.request.content_hash:
            raise BadInput("nothing has changed", field="description", remedy="give another description or context")
        authors = people.ids_of([Giver(actor.user_id, actor.name), Giver(actor.owner_id, actor.owner)])
        if not renew(held, sound(content), actor, authors=authors, note=note):
            raise WrongState(f"it is {held.state.status} already", field="request_id", remedy="ask anew")
    return held.request


def renew(
    held: Held, content: dict[str, Any], actor: Actor, *, authors: frozenset[str] = frozenset(), note: str = ""
) -> bool:
    """Inside the caller's transaction; False, and nothing done, where no round can begin any more.

    `authors`: the person ids of those whose content it is now; none of them decides from here on.
    """
    at = database_now(held.state)
    ring(held, at)
    digest = content_hash(content)
    event = ContentChanged(at=at, by=actor.name, same=digest == held.request.content_hash)
    if held.request.spent_at or folding.why_not(held, event):
        return False
    request = held.request
    _bar(held, authors)
    request.earlier = [*request.earlier, request.content]
    request.content, request.title, request.edits = content, title_of(content), {}
    request.content_hash = request.shown_hash = digest
    request.save(update_fields=["earlier", "content", "title", "content_hash", "shown_hash", "edits"])
    audit.record(
        actor=actor, action="approval.changed", workflow_id=request.request_id, note=note, content=request.content_hash
    )
    return folding.fold(held, event)


def _bar(held: Held, authors: frozenset[str]) -> None:
    if authors - held.plan.barred:
        held.plan = replace(held.plan, barred=held.plan.barred | authors)
        held.request.plan = PLAN.dump_python(held.plan, mode="json")
        held.request.save(update_fields=["plan"])


def sound(content: Mapping[str, Any]) -> dict[str, Any]:
    """As plain JSON, within bounds, its numbers as every database gives them back. Raises BadInput."""
    try:
        plain: dict[str, Any] = plain_json(dict(content), most_bytes=MOST_BYTES)  # type: ignore[assignment]
    except DefinitionErrors as errors:
        first = errors.problems[0]
        remedy = "give a link to what is large" if "MiB" in first.message else first.remedy
        raise BadInput(f"the content {first.field} {first.message}", field="context", remedy=remedy) from None
    # An action keeps its references: they are replaced when it is done.
    for name in ("title", "description", "context"):
        open_to_all(plain.get(name), name)
    whole: dict[str, Any] = settled(plain)
    return whole


def open_to_all(value: object, field: str) -> None:
    """Raises BadInput for a reference to a secret in what is shown: people would read it, or a later step fill it."""
    for text in texts_in(value):
        if found := SECRET.search(text):
            raise BadInput(
                f"the {field} holds the secret reference {found[0][:80]}; it is shown to people, so it cannot hold one",
                field=field, remedy="leave the reference out",
            )  # fmt: skip
