"""Several requests to be approved together, each shown whole: a yes is kept as one to what its page showed.

What the page would have to leave out is approved on the request's own page alone: what is long, what was asked before,
what was asked or said about it. None of that is loaded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast, Length

from approvals.admin.facts import facts_in_words
from approvals.admin.inbox import LARGE
from approvals.admin.page import edits_of
from approvals.core.enums import Choice, Status
from approvals.models import Remark, Request
from approvals.queries import requests
from approvals.queries.impact import consequences
from approvals.queries.requests import with_edits
from approvals.web.history import said_before
from approvals.web.showing import Budget, action_of, blocks_of, described
from approvals.web.showing.marked import MOST_CHARACTERS

MOST_STORED = 2_000_000
"""Characters of JSON that are loaded for one page."""

MOST_VOTES = 20
TOO_LONG = "it is too long to be shown here"


def reviewed(picked: Iterable[int]) -> list[dict[str, Any]]:
    """What there is to see of each; `why_not`: why it has to be opened by itself, '' where it can be approved here."""
    return list(_one_by_one(_in_short(picked)))


def asked_for_with(row: Request, choice: str) -> str:
    """The fields of its form that this decision has to fill in, in words; '' for none."""
    fields = requests.form_of(row)
    return ", ".join(field.title for field in fields if field.required and choice in field.on)


def _in_short(picked: Iterable[int]) -> QuerySet[Any]:
    """Without what may be large, but with how large that is, and whether anybody has said something about it."""
    sizes = [Length(Cast(name, TextField())) for name in ("content", "facts", "edits")]
    found = Request.objects.filter(pk__in=list(picked)).defer(*LARGE).order_by("pk")
    talked = Exists(Remark.objects.filter(request=OuterRef("pk")))
    return found.annotate(talked=talked, stored=sizes[0] + sizes[1] + sizes[2])


def _one_by_one(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    budget, left = Budget(nodes=1500, characters=150_000, parsed=60_000), MOST_STORED
    for row in rows:
        why_not = _elsewhere(row)
        if not why_not and (row.stored > left or budget.is_spent):
            why_not = TOO_LONG
        if why_not:
            yield {"row": row, "why_not": why_not}
        else:
            left -= row.stored
            yield _reviewed(_whole(row), budget)


def _elsewhere(row: Any) -> str:
    """Why its own page has to be opened, whatever it says."""
    if Status(row.status).is_end:
        return f"it is {row.status} already"
    if row.round > 1:
        return "it was asked before, and its page shows what has changed since"
    return "its page shows what was asked and said about it" if row.talked else ""


def _whole(row: Request) -> Request:
    """Its content and the hash of it in one read."""
    return Request.objects.select_related("policy", "run").defer("earlier").get(pk=row.pk)


def _reviewed(row: Request, budget: Budget) -> dict[str, Any]:
    """`budget`: of the whole page. A request that it does not hold whole can be approved on its own page alone."""
    asks, budget.cut = asked_for_with(row, Choice.APPROVE), False
    if asks:
        return {"row": row, "why_not": f"it asks for {asks}"}
    content = with_edits(row)
    shown = {
        "row": row,
        "description": _description(str(content.get("description", "")), budget),
        "context": blocks_of(content["context"], budget),
        "action": action_of(content, budget),
        "edits": edits_of(row),
        "facts": blocks_of(facts_in_words(row.facts), budget),
        "said": _said(row, budget),
    }
    if budget.cut:
        return {"row": row, "why_not": TOO_LONG}
    state, plan = requests.state_of(row), requests.plan_of_request(row)
    return {**shown, "why_not": "", "yes": consequences(row, plan, state).yes}


def _description(text: str, budget: Budget) -> str:
    if len(text) > min(MOST_CHARACTERS, budget.parsed):
        budget.cut = True
        return ""
    budget.parsed -= len(text)
    budget.spend(len(text))
    return described(text)


def _said(row: Request, budget: Budget) -> list[dict[str, Any]]:
    """The votes so far, with what was answered and said."""
    votes = row.votes.filter(round=row.round).order_by("pk")[: MOST_VOTES + 1]
    said = said_before(row, {"votes": [requests.vote_view(row, vote) for vote in votes]})
    for one in said:
        budget.spend(len(one["text"]) + len(one["more"]))
    budget.cut |= len(said) > MOST_VOTES or budget.is_spent
    return said
