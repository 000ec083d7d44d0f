"""What Zen found out about a request, in words. What is stored stays as it is: conditions and receipts read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from approvals.queries.impact_at_work import INQUIRY
from approvals.requests.state.locked_request import REWORK, REWORKED

OF_ONE_RUN = re.compile(r"(?P<saga>.+) inline:[0-9a-f]{12}")
"""How a definition is told that was stored for one run alone (`orchestration.models.Definition`)."""


def facts_in_words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a request as people are shown them, those without words of ours as they are."""
    # by INQUIRY two askings of a step are told apart, and no person needs it
    shown = {name: value for name, value in facts.items() if name not in (REWORK, REWORKED, INQUIRY)}
    saga = facts.get("saga")
    if isinstance(saga, str) and (found := OF_ONE_RUN.fullmatch(saga)):
        shown["saga"] = f"{found['saga']}, a definition of this run alone"
    if facts.get(REWORK):
        shown["if changes are asked for"] = f"step '{facts[REWORK]}' is done again, told of them{_before(facts)}"
    return shown


def _before(facts: Mapping[str, Any]) -> str:
    times = facts.get(REWORKED)
    if not isinstance(times, int) or times < 1:
        return ""
    return "; it was once before" if times == 1 else f"; it was {times} times before"
