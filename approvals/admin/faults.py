"""A refusal, shown on the page where it happened: what it was, what to do, and what was typed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from approvals.core.content import apply_edits, content_hash, difference
from approvals.models import Request
from approvals.requests.form_answers import INPUT, beside
from approvals.web.showing import diff_lines
from foundation.api.errors import STATUS
from foundation.errors import BadInput, ZenError

KEPT = ("description", "comment", "choice", "text", "kind", "to", "users", "note")


def status_of(fault: ZenError | None) -> int:
    return STATUS[type(fault)] if fault else 200


def shown(fault: ZenError | None, row: Request, http: HttpRequest) -> dict[str, Any]:
    """`typed`: what comes back into the form. `since`: what has changed since the page was made."""
    if fault is None:
        return {"typed": {}, "fault": None, "faults": {}}
    typed = {name: http.POST.get(name, "") for name in KEPT}
    typed |= {name: str(value) for name, value in http.POST.items() if name.startswith(("edit:", INPUT))}
    return {
        "fault": fault,
        "faults": beside(fault),
        "fault_at": fault.field if isinstance(fault, BadInput) else "",
        "first": None if isinstance(fault, BadInput) else _who_was_first(row),
        "typed": {**typed, "act": http.POST.get("act", "")},
        "since": _since(row, http.POST.get("seen", "")) if fault.field == "seen" else None,
    }


def _who_was_first(row: Request) -> dict[str, Any] | None:
    vote = row.votes.filter(round=row.round).last()
    return {"name": vote.name, "choice": vote.choice, "at": vote.at, "comment": vote.comment} if vote else None


def _since(row: Request, seen: str) -> tuple[list[tuple[str, str]], bool] | None:
    """The difference between what this person saw and what it is now."""
    if seen == row.content_hash != row.shown_hash:
        return diff_lines(difference(row.content, apply_edits(row.content, row.edits)))
    earlier = next((one for one in reversed(row.earlier) if content_hash(one) == seen), None)
    return diff_lines(difference(earlier, row.content)) if earlier is not None else None
