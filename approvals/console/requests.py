"""Requests as text, for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from approvals.policies import local_times
from foundation.console import text
from foundation.console.exit_codes import note

MOST_LINES = 200
LONGEST_LINE = 1000
DO = {
    "pending": ("approve", "reject", "request-changes", "abstain", "delegate", "ask", "remind"),
    "rescue": ("name-people", "approve", "reject", "remind"),
    "changes_requested": ("answer", "remind", "withdraw"),
    "cooling_off": ("reject", "revoke"),
    "approved": ("revoke", "receipt"),
}
NEEDS = {
    "delegate": " --from USER --to USER",
    "name-people": " USER...",
    "ask": " TEXT --as USER",
    "answer": " TEXT --as USER",
    "remind": "",
    "withdraw": "",
    "revoke": "",
    "receipt": "",
}
"""What a command needs behind the handle; the others need an account."""
Row = dict[str, Any]


def listed(rows: list[Row]) -> None:
    if not rows:
        note("there are none; open one with `manage.py approval open --stage … --description …`")
        return
    columns = ("request_id", "status", "title", "policy", "asked by", "until", "decided by")
    cells: list[list[object]] = [
        [row["request_id"], text.status(row["status"]), row["title"], row["policy"], row["requester"],
         clock(row["expires_at"]), row["decided_by"] or ""]
        for row in rows
    ]  # fmt: skip
    text.table(*columns, rows=cells)


def shown(view: Row, at: datetime) -> None:
    """What is asked, of whom, what was said, what can be done."""
    head = Text.assemble(Text(text.visible(view["request_id"]), style="bold"), "  ", text.status(view["status"]))
    text.out().print(head)
    for line in (*_head(view), "", *_content(view), "", *_chain(view), *_wait(view, at)):
        text.line(line)
    for line in (*_votes(view), *_remarks(view), *_do(view)):
        text.line(line)


def outcome(view: Row) -> None:
    """One line after an act."""
    waiting = f", waits for {', '.join(view['waiting_for'])}" if view["waiting_for"] else ""
    words = f": {_because(view)}" if _because(view) else ""
    text.line(f"{view['request_id']} is {view['status']}{waiting}{words}")


def _because(view: Row) -> str:
    """What the status alone does not say."""
    return "" if view["words"] == view["status"] else str(view["words"])


def asked(view: Row) -> tuple[str, ...]:
    """What a decision is to, before it is made, and its hash."""
    return (*_content(view), f"content_hash: {view['content_hash']}")


def clock(at: str | None, zone: str = "UTC") -> str:
    return local_times.shown(datetime.fromisoformat(at), ZoneInfo(zone)) if at else ""


def _head(view: Row) -> Iterator[str]:
    yield view["title"]
    about = f", for run {view['about']}" if view["about"] else ""
    step = f", step {view['step_id']}" if view["step_id"] else ""
    at = clock(view["created_at"], view["zone"])
    yield f"asked by {view['requester']} at {at}{about}{step}, under policy {view['policy']}"
    if _because(view):
        yield f"because: {_because(view)}"
    if view["decided_at"]:
        by = f" by {view['decided_by']}" if view["decided_by"] else ""
        yield f"decided at {clock(view['decided_at'], view['zone'])}{by}"


def _content(view: Row) -> Iterator[str]:
    """What is shown to those who decide; the requester's words, and what we have computed, each under its name."""
    content = view["content"]
    description = str(content.get("description", ""))
    if description.strip() and description.strip() != view["title"]:
        yield from _short(description.splitlines(), "  ")
    for name in ("context", "action"):
        if content.get(name):
            yield f"{name}:"
            yield from _short(_json(content[name]), "  ")
    if view["facts"]:
        yield "computed by Zen:"
        yield from _short(_json(view["facts"]), "  ")
    if view["changes"]:
        yield f"changed since round {view['round'] - 1}:"
        yield from _short(view["changes"].splitlines(), "  ")
    if view["edits"]:
        yield "edited with a yes:"
        yield from _short(_json(view["edits"]), "  ")


def _chain(view: Row) -> Iterator[str]:
    for stage in view["stages"]:
        people = ", ".join(stage["people"]) or "nobody"
        yield f"stage {stage['name']} ({stage['state']}): {stage['how_many']} of {people}"


def _wait(view: Row, at: datetime) -> Iterator[str]:
    if view["waiting_for"]:
        lacks = f", {view['missing']} more to approve" if view["missing"] else ""
        yield f"waits for {', '.join(view['waiting_for'])}{lacks}"
    for one in view["told"]:
        yield f"told of stage {one['stage']}: {one['name']} at {clock(one['at'], view['zone'])}"
    for one in view["not_reached"]:
        yield f"not reached: {one['name']} ({one['why']})"
    if view["expires_at"]:
        yield f"until {clock(view['expires_at'], view['zone'])} ({left(view['expires_at'], at)})"
    if view["editable"]:
        yield f"can be edited with a yes: {', '.join(view['editable'])}"
    for field in view["form"]:
        need = "asked" if field["required"] else "may be given"
        name = f"{field['name']} ({field['label']})" if field["label"] else field["name"]
        kind = f"one of {', '.join(field['choices'])}" if field["choices"] else field["type"]
        yield f"{need} with {', '.join(field['on'])}: --answer {name}, {kind}"
    if view["spent_at"]:
        yield f"the yes was used at {clock(view['spent_at'], view['zone'])} by {view['spent_by']}"
    if view["act"] and view["act"]["state"] != "proposed":
        yield f"what was proposed is {view['act']['state']}" + (f": {view['act']['why']}" if view["act"]["why"] else "")
    if not view["delivered"]:
        yield "the run that waits has not been told yet: its engine is away"


def left(until: str, at: datetime) -> str:
    seconds = int((datetime.fromisoformat(until) - at).total_seconds())
    if seconds <= 0:
        return "over"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if not days else ""]
    return f"{' '.join(part for part in parts if part)} left"


def _votes(view: Row) -> Iterator[str]:
    for vote in view["votes"]:
        behalf = f" for {vote['on_behalf_of']}" if vote["on_behalf_of"] else ""
        where = f"{vote['stage']}, round {vote['round']}, by {vote['door']}/{vote['strength']}"
        comment = f": {vote['comment']}" if vote["comment"] else ""
        yield f"{clock(vote['at'])}  {vote['name']}{behalf} said {vote['decision']} ({where}){comment}"
        if vote["answers"]:
            yield f"  answers: {', '.join(f'{name}={value}' for name, value in vote['answers'].items())}"


def _remarks(view: Row) -> Iterator[str]:
    for one in view["remarks"]:
        yield f"{clock(one['at'])}  {one['kind']} of {one['name']}: {one['text']}"


def _do(view: Row) -> Iterator[str]:
    for verb in DO.get(view["status"], ("receipt",)):
        if verb == "revoke" and view["spent_at"]:
            continue
        yield f"→ manage.py approval {verb} {view['request_id']}{NEEDS.get(verb, ' --as USER')}"


def _json(value: object) -> list[str]:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str).splitlines()


def _short(lines: Iterable[str], indent: str) -> Iterator[str]:
    kept = list(lines)
    for line in kept[:MOST_LINES]:
        more = f" … and {len(line) - LONGEST_LINE} more characters" if len(line) > LONGEST_LINE else ""
        yield f"{indent}{line[:LONGEST_LINE]}{more}"
    if len(kept) > MOST_LINES:
        yield f"{indent}… and {len(kept) - MOST_LINES} more lines; --json has all"
