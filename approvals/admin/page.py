"""Everything that the page of a request shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from approvals.admin.facts import facts_in_words
from approvals.models import Request
from approvals.queries import requests
from approvals.queries.impact import consequences
from approvals.queries.view import request_view
from approvals.requests.allowed_actions import Offers, offers_for, state_at
from approvals.requests.form_answers import inputs_for
from approvals.web.history import history
from approvals.web.showing import Budget, action_of, blocks_of, described, diff_lines
from approvals.web.showing.marked import MOST_CHARACTERS
from foundation.clock import now
from foundation.identity import permissions
from foundation.templatetags.zen import as_json
from orchestration.core.definition.shape import canonical_json

MOST_ACCOUNTS = 200
LONGEST_EDIT = 500
"""What the page shows of a changed value, as JSON."""


def page_of(request: Request, user: Any, typed: Mapping[str, str]) -> dict[str, Any]:
    """`typed`: what the form gave before it was refused."""
    moment = now()
    view, plan = request_view(request), requests.plan_of_request(request)
    state = state_at(plan, requests.state_of(request), moment)
    offers = offers_for(request, user, at=moment)
    content, budget = requests.with_edits(request), Budget()
    asked = request.content  # their words stay theirs: what others changed in them stands apart
    description = str(asked.get("description", ""))
    ended = state.status.is_end
    return {
        "row": request,
        "view": view,
        "status": state.status.value,
        "ended": ended,
        "offers": offers,
        "run": request.run.parent,
        "description": described(description[:MOST_CHARACTERS]),
        "description_cut": len(description) > MOST_CHARACTERS,
        "one_line": description.strip() == request.title,
        "consequences": None if ended else consequences(request, plan, state),
        "blocks": blocks_of(asked["context"], budget),
        "action": action_of(content, budget),
        "content_cut": budget.cut,
        "facts": blocks_of(facts_in_words(request.facts), Budget(nodes=60)),
        "edits": edits_of(request),
        "edits_cut": any(len(as_json(value, MOST_CHARACTERS)) > LONGEST_EDIT for value in request.edits.values()),
        "edited_in": {path.partition(".")[0] for path in request.edits},
        "changes": diff_lines(view["changes"]) if view["changes"] else None,
        "chain": _chain(request, view),
        "not_reached": _by_fault(view["not_reached"]),
        "history": history(request, view),
        "inputs": [{**one, "shown": typed.get(one["name"], one["value"])} for one in inputs_of(content, offers)],
        "questions": inputs_for(offers.form, typed, offers.choices),
        "accounts": accounts() if offers.hand_on or offers.seats or offers.name_people else [],
        "until": request.expires_at if not ended else None,
        "moment": moment,
    }


def edits_of(request: Request) -> list[dict[str, Any]]:
    return [
        {"path": path, "was": value_at(request.content, path), "now": value} for path, value in request.edits.items()
    ]


def value_at(content: dict[str, Any], path: str) -> Any:
    place: Any = content
    for part in path.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return place


def inputs_of(content: dict[str, Any], offers: Offers) -> list[dict[str, Any]]:
    """An input for each value that a yes may change: text as it is, and other values as JSON."""
    return [
        {"path": path, "name": f"edit:{path}", **_input(value_at(content, path))}
        for path in offers.editable
        if _is_there(content, path)
    ]


def _is_there(content: dict[str, Any], path: str) -> bool:
    above, _, last = path.rpartition(".")
    place = value_at(content, above) if above else content
    return isinstance(place, dict) and last in place


def _input(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"kind": "lines" if "\n" in value or len(value) > 80 else "text", "value": value}
    text = canonical_json(value)
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else "json"
    return {"kind": kind, "value": text}


def accounts() -> list[Any]:
    """Whom a vote can be given to: a list to choose from, which the services check again."""
    groups = Q(groups__name__in=permissions.MAY["approval.decide"]) | Q(is_superuser=True)
    return list(get_user_model().objects.filter(groups, is_active=True).order_by("username").distinct()[:MOST_ACCOUNTS])


def _chain(request: Request, view: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages, each with who has spoken in it and who still may."""
    votes: dict[str, list[dict[str, Any]]] = {}
    for vote in view["votes"]:
        if vote["round"] == request.round:
            votes.setdefault(vote["stage"], []).append(vote)
    return [
        {
            **stage,
            "votes": votes.get(stage["name"], []),
            "waiting": view["waiting_for"] if stage["state"] == "open" else [],
            "asked": _some(stage["people"]),
            "told": [
                (one["name"], datetime.fromisoformat(one["at"]))
                for one in view["told"]
                if one["stage"] == stage["name"]
            ],
            "silent": stage["name"] in view["passed_by_silence"],
        }
        for stage in view["stages"]
    ]


def _by_fault(not_reached: Iterable[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Each fault once, with whom it kept from hearing of it."""
    names: dict[str, list[str]] = {}
    for one in not_reached:
        names.setdefault(one["why"], []).append(one["name"])
    return [(why, _some(found)) for why, found in names.items()]


def _some(names: Iterable[str], most: int = 12) -> str:
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
