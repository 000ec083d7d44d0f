"""What a person sends from the page of a request, taken to the service that does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, QueryDict

from approvals.admin.page import inputs_of
from approvals.core.enums import Choice
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.queries.requests import form_of, with_edits
from approvals.requests import Evidence, decide, name_people, reassign, remark, remind, resubmit, revoke, withdraw
from approvals.requests.allowed_actions import offers_for
from approvals.requests.caller import evidence_of
from approvals.requests.form_answers import typed_in
from foundation.errors import BadInput
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from orchestration.core.definition.shape import plain_json

DONE = {
    Choice.APPROVE: "You approved",
    Choice.REJECT: "You rejected",
    Choice.REQUEST_CHANGES: "You asked for changes to",
    Choice.ABSTAIN: "You abstained from",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    row: Request
    user: Any
    actor: Actor
    post: QueryDict
    evidence: Evidence

    def text(self, name: str) -> str:
        return _clean(self.post.get(name, "").strip(), name)


def given_by(http: HttpRequest, row: Request) -> Given:
    actor = actor_of(http.user, door="admin")
    return Given(row=row, user=http.user, actor=actor, post=http.POST, evidence=evidence_of(http))


def act(given: Given) -> tuple[str, bool]:
    """A word on what was done, and whether it was a decision. Raises what the services raise."""
    name = given.post.get("act", "")
    if name == "decide":
        return _decide(given), True
    if name not in ACTS:
        raise BadInput(f"'{name[:40]}' is nothing that can be done here", field="act", remedy="use the page's buttons")
    return ACTS[name](given), False


def _decide(given: Given) -> str:
    word = given.post.get("choice", "")
    if not word:
        raise BadInput("nothing is chosen", field="choice", remedy="choose what you decide")
    edits = _edits(given) if word == Choice.APPROVE else {}
    answers = typed_in(form_of(given.row), word, given.post)
    decide(
        request_id=given.row.request_id, actor=given.actor, person=person_of(given.user), choice=word,
        comment=given.text("comment"), edits=edits, answers=answers, seen=given.post.get("seen", ""),
        evidence=given.evidence,
    )  # fmt: skip
    return f"{DONE[Choice(word)]} “{given.row.title}”{asked_for(given.row)}."


def asked_for(row: Request) -> str:
    """What tells requests of one title apart."""
    return f" for {row.about}" if row.about else f" ({row.request_id})"


def _edits(given: Given) -> dict[str, Any]:
    """What differs from what was shown; `seen` says whether that is still so."""
    content, found = with_edits(given.row), {}
    for field in inputs_of(content, offers_for(given.row, given.user)):
        text = given.post.get(field["name"])
        if text is None:
            continue
        text = _clean(text.replace("\r\n", "\n"), field["name"])
        if text != field["value"]:
            found[field["path"]] = _value(text, field)
    return found


def _value(text: str, field: Mapping[str, Any]) -> Any:
    if field["kind"] in ("text", "lines"):
        return text
    try:
        value = plain_json(json.loads(text))
    except ValueError:
        what = "a number" if field["kind"] == "number" else "JSON"
        remedy = f"such as {field['value'][:60]}"
        raise BadInput(f"{field['path']}: {text[:60]!r} is not {what}", field=field["name"], remedy=remedy) from None
    if field["kind"] == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadInput(f"{field['path']}: {text[:60]!r} is not a number", field=field["name"])
    return value


def _clean(text: str, name: str) -> str:
    if "\0" in text:
        raise BadInput("the text contains an invisible character", field=name, remedy="type it anew")
    return text


def _remark(given: Given) -> str:
    kind = given.post.get("kind", "")
    remark(
        request_id=given.row.request_id, actor=given.actor, person=person_of(given.user), kind=kind,
        text=given.text("text"),
    )  # fmt: skip
    return f"Your {kind} is in the history, visible to everyone who decides."


def _remind(given: Given) -> str:
    remind(request_id=given.row.request_id, actor=given.actor, note=given.text("note"))
    return "Those who have not decided are reminded."


def _hand_on(given: Given) -> str:
    seat = given.row.people.get(given.post.get("person", ""), {})
    owner = _username(seat["user_id"]) if seat.get("user_id") else ""
    to = given.text("to")
    reassign(
        request_id=given.row.request_id, actor=given.actor, to=to, person=owner, note=given.text("note")
    )  # fmt: skip
    return f"{to} decides instead."


def _username(pk: int) -> str:
    return str(get_user_model().objects.filter(pk=pk).values_list("username", flat=True).first() or "")


def _withdraw(given: Given) -> str:
    withdraw(request_id=given.row.request_id, actor=given.actor, note=given.text("note"))
    return "The request is withdrawn."


def _revoke(given: Given) -> str:
    revoke(request_id=given.row.request_id, actor=given.actor, note=given.text("note"))
    return "The approval is revoked."


def _resubmit(given: Given) -> str:
    resubmit(
        request_id=given.row.request_id, actor=given.actor, description=given.text("description"),
        note=given.text("note"),
    )  # fmt: skip
    return "The request is resubmitted: everyone decides again from the start."


def _name_people(given: Given) -> str:
    names = [name for name in given.text("users").replace(",", " ").split() if name]
    name_people(request_id=given.row.request_id, actor=given.actor, users=names, note=given.text("note"))
    return f"{', '.join(names)} can decide now."


ACTS: dict[str, Callable[[Given], str]] = {
    "remark": _remark,
    "remind": _remind,
    "hand-on": _hand_on,
    "withdraw": _withdraw,
    "revoke": _revoke,
    "resubmit": _resubmit,
    "name-people": _name_people,
}
