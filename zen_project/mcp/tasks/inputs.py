"""What people are asked while a run waits: gates and questions as requests for input, and the answers to them.

A request whose whole content fits into a message is a form for who may decide it: to accept is a yes unless the form
says otherwise, to decline a no, to dismiss it neither. Everybody else, an agent above all, gets the address of the page
where people decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import ClientCapabilities

from approvals.core.enums import OPEN, Choice
from approvals.core.policy.form import FormField
from approvals.models import Request
from approvals.requests import decide
from approvals.requests.allowed_actions import Offers, offers_for
from approvals.requests.caller import evidence_of
from approvals.requests.messages.links import page_of
from orchestration.core.enums import END_STATUSES
from orchestration.models import Run
from zen_project.mcp.identity import Caller

LONGEST_SHOWN = 4000
MOST_REQUESTS, DEEPEST = 20, 10
COMMENT, DECISION = "comment", "decision"
TYPES = {"choice": "string", "date": "string"}


@dataclass(frozen=True, slots=True)
class Question:
    """A request that is open, under a key that no other one and no other content of it ever has."""

    request: Request
    offers: Offers
    as_form: bool

    @property
    def key(self) -> str:
        """Of its round and content: what was answered is never asked again under it."""
        how = "decide" if self.as_form else "see"
        return f"{how}-{self.request.request_id}-{self.request.round}-{self.request.shown_hash[:16]}"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one caller is asked at a run. `requests`: as the client can show them; what it cannot is told in words."""

    questions: tuple[Question, ...]
    requests: dict[str, Any]

    @property
    def waits_for_people(self) -> bool:
        """Whether anybody is asked."""
        return bool(self.questions)

    def in_words(self) -> str:
        """Who is asked what, and where."""
        return "; ".join(
            f"people are asked: {one.request.title} ({page_of(one.request)})" for one in self.questions[:5]
        )


def inputs_of(caller: Caller, run: Run, client: ClientCapabilities | None) -> Inputs:
    """What this caller is asked at a run and at those below it, as far as their client can show it."""
    found = client.elicitation if client is not None else None
    with_forms = found is not None and (found.form is not None or found.url is None)
    with_pages = found is not None and found.url is not None
    questions = tuple(_question(caller, one, with_forms=with_forms) for one in _open_requests(run))
    shown = {
        one.key: _form(one) if one.as_form else _page(one.request) for one in questions if one.as_form or with_pages
    }
    return Inputs(questions, shown)


def answered(caller: Caller, inputs: Inputs, responses: Mapping[str, Any]) -> None:
    """Decide what was answered, as the caller's person; what is not asked, or not any more, is passed over.

    Raises:
        ZenError: what the one door for decisions refuses.
    """
    for one in inputs.questions:
        response = responses.get(one.key)
        if not one.as_form or not isinstance(response, Mapping):
            continue
        given = response.get("content")
        content = given if isinstance(given, Mapping) else {}
        choice = _choice(response.get("action"), content)
        if not choice:
            continue
        others = {field.name for field in one.offers.form if choice not in field.on}
        decide(
            request_id=one.request.request_id,
            actor=caller.actor,
            person=caller.person(),
            choice=choice,
            comment=str(content.get(COMMENT) or ""),
            answers={name: value for name, value in content.items() if name not in {COMMENT, DECISION, *others}},
            seen=one.request.shown_hash,
            evidence=evidence_of(caller.connection),
        )


def _choice(action: object, content: Mapping[str, Any]) -> str:
    """What an answer decides; '' for one that was dismissed, or is none."""
    if action == "decline":
        return Choice.REJECT
    return str(content.get(DECISION) or Choice.APPROVE) if action == "accept" else ""


def _open_requests(run: Run) -> list[Request]:
    """That this run or one below it waits for, the oldest first. One query a level."""
    waiting, level = [run.pk], [run.pk]
    for _ in range(DEEPEST):
        below = Run.objects.filter(parent__in=level).exclude(status__in=END_STATUSES).order_by("pk")
        level = list(below.values_list("pk", flat=True)[:1000])
        if not level:
            break
        waiting += level
    found = Request.objects.select_related("run", "policy").filter(run__in=waiting, status__in=OPEN)
    return list(found.order_by("pk")[:MOST_REQUESTS])


def _question(caller: Caller, request: Request, *, with_forms: bool) -> Question:
    offers = offers_for(request, caller.user) if caller.user is not None and not caller.is_agent else Offers()
    whole = len(_shown(request)) <= LONGEST_SHOWN
    return Question(request, offers, with_forms and whole and Choice.APPROVE in offers.choices)


def _shown(request: Request) -> str:
    return json.dumps(request.content, ensure_ascii=False, indent=1, sort_keys=True)


def _page(request: Request) -> dict[str, Any]:
    message = f"People have to decide: {request.title}. It is read and decided on its page."
    return {"method": "elicitation/create", "params": {"mode": "url", "message": message, "url": page_of(request)}}


def _form(one: Question) -> dict[str, Any]:
    asked = [field for field in one.offers.form if Choice.APPROVE in field.on]
    properties: dict[str, Any] = {field.name: _field(field) for field in asked}
    choices = [str(choice) for choice in one.offers.choices]
    decision = {"type": "string", "title": "Decision", "enum": choices, "default": str(Choice.APPROVE)}
    properties |= {DECISION: decision, COMMENT: {"type": "string", "title": "Comment"}}
    required = [field.name for field in asked if field.required]
    required += [COMMENT] if Choice.APPROVE in one.offers.must_comment_on else []
    message = (
        f"{one.request.title}\n\nTo accept approves it, as you, unless the decision says otherwise; to decline "
        f"rejects it. What is asked, whole:\n{_shown(one.request)}\nIts page: {page_of(one.request)}"
    )
    schema = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def _field(field: FormField) -> dict[str, Any]:
    found: dict[str, Any] = {"type": TYPES.get(field.type, field.type), "title": field.title}
    if field.type == "date":
        found["format"] = "date"
    if field.choices:
        found["enum"] = list(field.choices)
    bounds = {"minimum": field.minimum, "maximum": field.maximum}
    return found | {name: bound for name, bound in bounds.items() if bound is not None}
