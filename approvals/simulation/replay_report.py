"""The result of a replay as one JSON object, and as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals.core.policy.definition import PolicyDefinition
from approvals.simulation.replay import Compared
from foundation.console import text


def view(policy: PolicyDefinition, found: list[Compared]) -> dict[str, Any]:
    """The result as JSON."""
    differing = sum(one.differs for one in found)
    rows = [compared(one) for one in found]
    return {"policy": policy.policy, "requests": rows, "count": len(found), "differing": differing}


def compared(one: Compared) -> dict[str, Any]:
    """One request of it as JSON."""
    request, would = one.request, one.would
    new = (
        {"status": "refused", "at": None, "words": one.refused, "waiting_for": []}
        if would is None
        else {
            "status": would.status.value,
            "at": _iso(would.ended_at),
            "words": would.words,
            "waiting_for": [one.name(person) for person in would.awaited],
        }
    )
    return {
        "request_id": request.request_id,
        "stage": request.stage,
        "policy": str(request.policy),
        "asked_at": _iso(request.created_at),
        "was": {"status": one.was.status.value, "at": _iso(one.was.ended_at), "words": request.words},
        "would": new,
        "differs": one.differs,
        "why": _why(one),
    }


def _why(one: Compared) -> list[str]:
    if one.would is None:
        return [one.refused]
    found = [
        f"{one.name(refused.vote.person)}'s {refused.vote.choice} would not have counted: {refused.why}"
        for refused in one.would.uncounted
    ]
    if one.would.awaited:
        names = ", ".join(one.name(person) for person in one.would.awaited)
        found.append(f"it would still have waited for {names}; what follows is what the clocks do alone")
    return found


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def show(view: dict[str, Any]) -> None:
    """Print the result of `view` as text."""
    for row in view["requests"]:
        was, would = row["was"], row["would"]
        mark = "≠" if row["differs"] else "="
        text.line(
            f"{mark} {row['request_id']}  was {was['status']} at {_short(was['at'])}, would be {would['status']}"
            + (f" at {_short(would['at'])}" if would["at"] else "")
            + (f": {would['words']}" if would["words"] else "")
        )
        for line in row["why"]:
            text.line(f"    {line}")
    text.line(f"{view['count']} requests, {view['differing']} of them would have ended otherwise")


def _short(at: str) -> str:
    return at[:19].replace("T", " ")
