"""What has happened to a request, in one list: events, votes and what was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals.badges import in_words
from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from approvals.policies.local_times import time_in
from approvals.queries.requests import name_in
from orchestration.models import Event
from orchestration.runs.queries import run_events

MOST = 200
WORDS = {
    "approval.event.opened": "asked",
    "approval.event.delivered": "the first of those asked was reached",
    "approval.event.content_changed": "what is asked for has changed",
    "approval.event.withdrawn": "withdrawn",
    "approval.event.revoked": "the approval was revoked",
    "approval.event.reminded": "reminded those who have not decided",
    "approval.event.people_left": "people left",
    "approval.reminded": "reminded those who have not decided",
    "approval.rescue": "an administrator is needed",
    "approval.changes_requested": "waiting for the requester",
    "approval.cooling_off": "approved, and open to objections",
}
DOORS = {
    "admin": "on this site", "api": "over the API", "slack": "in Slack", "link": "by a link",
    "console": "at the console", "python": "from Python",
}  # fmt: skip
Labels = dict[tuple[str, str], str]
SILENT = {"approval.event.clock_reached", "approval.pending", "approval.event.people_named", "approval.event.cancelled"}


def history(request: Request, view: dict[str, Any]) -> list[dict[str, Any]]:
    """Oldest first; of a long one the latest. At one moment a vote comes before what followed from it."""
    labels = labels_of(request)
    votes = {(vote["person"], vote["at"]): _vote(vote, labels) for vote in view["votes"]}
    rows: list[dict[str, Any]] = []
    for event in reversed(run_events(request.run).reverse()[:MOST]):
        if event.kind.startswith("vote."):
            rows += filter(None, [votes.pop((event.data["person"], event.at.isoformat()), None)])
        elif event.kind not in SILENT:
            rows.append(_event(request, event))
    said = [{"at": one["at"], "kind": one["kind"], "who": one["name"], "text": one["text"]} for one in view["remarks"]]
    return sorted([*rows, *votes.values(), *said], key=lambda row: str(row["at"]))[-MOST:]


def said_before(request: Request, view: dict[str, Any]) -> list[dict[str, Any]]:
    """The votes of this round, with what was answered and said; `word`: the decision in words."""
    labels = labels_of(request)
    votes = [_vote(vote, labels) for vote in view["votes"] if vote["round"] == request.round]
    return [{**vote, "word": in_words(vote["kind"])} for vote in votes]


def labels_of(request: Request) -> Labels:
    """What the fields of its stages' forms are called, by stage and name."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages
    return {(stage.name, field.name): field.title for stage in stages for field in stage.form}


def _vote(vote: dict[str, Any], labels: Labels) -> dict[str, Any]:
    whom = f"for {vote['on_behalf_of']}" if vote["on_behalf_of"] else ""
    more = [whom, f"stage {vote['stage']}", f"round {vote['round']}", DOORS.get(vote["door"], vote["door"])]
    more += [f"{labels.get((vote['stage'], name), name)}: {value}" for name, value in vote["answers"].items()]
    row = {"at": vote["at"], "kind": vote["decision"], "who": vote["name"], "is_vote": True, "text": vote["comment"]}
    return {**row, "more": ", ".join(word for word in more if word)}


def _event(request: Request, event: Event) -> dict[str, Any]:
    who = str(event.data.get("by") or "")
    return {"at": event.at.isoformat(), "kind": "event", "who": who, "what": _words(request, event)}


def _words(request: Request, event: Event) -> str:
    data = event.data
    match event.kind:
        case "approval.event.opened" if data.get("by_rule"):
            return "asked, and approved by the policy's rule"
        case "approval.event.content_changed" if data.get("same"):
            return "asked again in the same words"
        case "approval.stage_opened":
            return f"stage '{data.get('stage')}' was opened" + (f", round {data['round']}" if data["round"] > 1 else "")
        case "approval.passed_by_silence":
            told = [f"{name_in(request, one['person'])} at {_at(request, one['at'])}" for one in data.get("told", ())]
            whom = f"; told of it: {', '.join(told)}" if told else ""
            return f"stage '{data.get('stage')}' passed by silence, as its policy says{whom}"
        case "approval.event.delivered" if data.get("person"):
            return f"{name_in(request, data['person'])} was reached"
        case "approval.event.resumed":
            since, until = _at(request, data["since"]), _at(request, data["until"])
            return f"what was left of its time was given back: Zen was away from {since} until {until}"
        case "approval.escalated":
            return f"escalated to level {data.get('level')}"
        case "approval.event.delegated":
            return f"the vote of {name_in(request, data['person'])} was delegated to {name_in(request, data['to'])}"
    why = f": {data['why']}" if data.get("why") and event.kind not in WORDS else ""
    return WORDS.get(event.kind, event.kind.removeprefix("approval.").replace("_", " ")) + why


def _at(request: Request, text: str) -> str:
    return time_in(request, datetime.fromisoformat(text))
