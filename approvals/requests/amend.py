"""Change the content of a request: that begins a new round, in which everybody decides again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt

from approvals.core.approval.events import ContentChanged
from approvals.core.approval.plan import PLAN
from approvals.core.content import MOST_BYTES, content_hash
from approvals.core.enums import Status
from approvals.models import Request
from approvals.policies import principals
from approvals.queries.agent_act import FACT
from approvals.requests.lookup import found_request
from approvals.requests.rights import require_caller, require_right
from approvals.requests.state.lock import database_now, fire_due, locked_now
from approvals.requests.state.locked_request import LockedRequest
from foundation import audit
from foundation.canonical_json import settled
from foundation.errors import BadInput, WrongState
from foundation.identity.actor import Actor
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.shape import plain_json
from orchestration.core.templates.tokens import SECRET, texts_in
from orchestration.runs.contributors import Contributor


def resubmit(
    *, request_id: str, actor: Actor, description: str | None = None, context: Mapping[str, Any] | None = None,
    note: str = "",
) -> Request:  # fmt: skip
    """Submit other content, or the same once requested changes were made elsewhere. By the person who asked.

    `description`, `context`: what changes; None stays. Returns the request.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not.
        BadInput: nothing has changed, or the content cannot be stored.
        WrongState: a step asked it (its content is the run's), or it has ended.
    """
    require_caller("resubmit", actor)
    with locked_now(found_request(request_id).run_id) as (locked, _):
        require_right("resubmit", locked.request, actor)
        if locked.request.step_id:
            raise WrongState("what a step asks comes from its run", field="request_id", remedy="rerun the step")
        if FACT in locked.request.facts:
            raise WrongState("what an agent proposes comes from its run", field="request_id", remedy="propose it again")
        if locked.state.status is Status.APPROVED:
            raise WrongState("it is approved already", field="request_id", remedy="ask anew for another content")
        if locked.state.status.is_end:
            raise WrongState(f"it is {locked.state.status} already", field="request_id", remedy="ask anew")
        content = {**locked.request.content}
        if description is not None:
            content["description"] = description
        if context is not None:
            content["context"] = dict(context)
        if locked.state.status is not Status.CHANGES_REQUESTED and content_hash(content) == locked.request.content_hash:
            raise BadInput("nothing has changed", field="description", remedy="give another description or context")
        authors = principals.ids_of([Contributor(actor.user_id, actor.name), Contributor(actor.owner_id, actor.owner)])
        if not renew(locked, sound(content), actor, authors=authors, note=note):
            raise WrongState(f"it is {locked.state.status} already", field="request_id", remedy="ask anew")
    return locked.request


def renew(
    locked: LockedRequest,
    content: dict[str, Any],
    actor: Actor,
    *,
    authors: frozenset[str] = frozenset(),
    note: str = "",
) -> bool:
    """Begin a round with other content, inside the caller's transaction. False, and nothing done, where none can begin.

    `authors`: the person ids of those whose content it is now; none of them may decide from here on.
    """
    at = database_now(locked.state)
    fire_due(locked, at)
    digest = content_hash(content)
    event = ContentChanged(at=at, by=actor.name, same=digest == locked.request.content_hash)
    if locked.request.spent_at or locked.refusal(event):
        return False
    request = locked.request
    _bar(locked, authors)
    request.earlier = [*request.earlier, request.content]
    request.content, request.title, request.edits = content, title_of(content), {}
    request.content_hash = request.shown_hash = digest
    request.save(update_fields=["earlier", "content", "title", "content_hash", "shown_hash", "edits"])
    audit.record(
        actor=actor, action="approval.changed", workflow_id=request.request_id, note=note, content=request.content_hash
    )
    return locked.apply(event)


def _bar(locked: LockedRequest, authors: frozenset[str]) -> None:
    if authors - locked.plan.barred:
        locked.plan = replace(locked.plan, barred=locked.plan.barred | authors)
        locked.request.plan = PLAN.dump_python(locked.plan, mode="json")
        locked.request.save(update_fields=["plan"])


def sound(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as plain JSON, within bounds, its numbers as every database returns them.

    Raises:
        BadInput: it is no JSON, too large, or holds a secret reference.
    """
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
    """Refuse a secret reference in what is shown: people would read it, or a later step fill it in.

    Raises:
        BadInput: with the reference.
    """
    for text in texts_in(value):
        if found := SECRET.search(text):
            raise BadInput(
                f"the {field} holds the secret reference {found[0][:80]}; it is shown to people, so it cannot hold one",
                field=field, remedy="leave the reference out",
            )  # fmt: skip


LONGEST = 300
_READ = 2_000
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")


def title_of(content: Mapping[str, Any]) -> str:
    """The title that was given, or the first line of the description without its Markdown, or the stage."""
    first = str(content["description"]).strip().partition("\n")[0]
    return (content.get("title") or _unmarked(first[:_READ]) or str(content["stage"]))[:LONGEST]


def _unmarked(line: str) -> str:
    inline = next((token for token in _PARSER.parse(line) if token.type == "inline"), None)
    parts = [token.content for token in inline.children or () if token.content] if inline else []
    return "".join(parts).strip() or line
