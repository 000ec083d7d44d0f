"""Several requests to be approved together, each shown whole: a yes is kept as one to what its page showed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from approvals import selectors
from approvals.admin.page import edits_of, with_edits
from approvals.admin.showing import Budget, action_of, blocks_of, described
from approvals.admin.showing.marked import MOST_CHARACTERS
from approvals.consequences import consequences
from approvals.core.words import Choice
from approvals.models import Request


def reviewed(rows: Iterable[Request]) -> list[dict[str, Any]]:
    """What there is to see of each; `why_not`: why it has to be opened by itself, '' where it can be approved here."""
    budget = Budget(nodes=1500, characters=150_000, parsed=60_000)
    return [_reviewed(row, budget) for row in rows]


def asked_for_with(row: Request, choice: str) -> str:
    """The fields of its form that this decision has to fill in, in words; '' for none."""
    fields = selectors.form_of(row)
    return ", ".join(field.title for field in fields if field.required and choice in field.on)


def _reviewed(row: Request, budget: Budget) -> dict[str, Any]:
    """`budget`: of the whole page. A request that it does not hold whole can be approved on its own page alone."""
    state, content = selectors.state_of(row), with_edits(row)
    description, budget.cut = str(content.get("description", "")), False
    too_long = len(description) > min(MOST_CHARACTERS, budget.parsed)
    budget.parsed -= 0 if too_long else len(description)
    shown = {
        "row": row,
        "description": "" if too_long else described(description),
        "context": blocks_of(content["context"], budget),
        "action": action_of(content, budget),
        "edits": edits_of(row),
        "yes": () if state.status.is_end else consequences(row, selectors.plan_of_request(row), state).yes,
    }
    asks = asked_for_with(row, Choice.APPROVE)
    why_not = ""
    if state.status.is_end:
        why_not = f"it is {row.status} already"
    elif budget.cut or too_long:
        why_not = "it is too long to be shown here"
    elif asks:
        why_not = f"it asks for {asks}"
    return {**shown, "why_not": why_not}
