"""Decisions about many runs, added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from monitoring.core.conditions import leaves
from monitoring.core.matching import Armed
from monitoring.core.recovery.brakes import budget_free_at
from monitoring.core.replay.deciding import Decision
from monitoring.core.replay.history import UNSEEN_CODES, UNSEEN_METRICS

MOST_EXAMPLES = 20

Totals = dict[str, Any]


def nothing() -> Totals:
    """The totals of no run."""
    return {
        "of": 0, "matched": 0, "would_have_acted": 0, "recovered_by_itself": 0, "seconds": [], "told": 0,
        "by_action": {}, "refused": {}, "left_out": 0, "examples": [], "acts": [],
    }  # fmt: skip


def add(totals: Totals, workflow_id: str, decision: Decision) -> None:
    """Add what would have come of a run."""
    totals["of"] += 1
    totals["matched"] += decision.matched is not None
    totals["told"] += decision.told
    if decision.action is not None and decision.at is not None:
        totals["would_have_acted"] += 1
        by_action = totals["by_action"]
        by_action[decision.action.value] = by_action.get(decision.action.value, 0) + 1
        totals["acts"].append(decision.at.timestamp())
        if decision.recovered is not None:
            totals["recovered_by_itself"] += 1
            totals["seconds"].append(round(decision.recovered, 3))
    elif decision.refusal:
        totals["refused"][decision.refusal] = totals["refused"].get(decision.refusal, 0) + 1
    if decision.matched is not None and len(totals["examples"]) < MOST_EXAMPLES:
        totals["examples"].append(_example(workflow_id, decision))


def _example(workflow_id: str, decision: Decision) -> Mapping[str, Any]:
    return {
        "workflow_id": workflow_id,
        "matched_at": decision.matched.isoformat() if decision.matched else None,
        "at": decision.at.isoformat() if decision.at else None,
        "action": decision.action.value if decision.action else None,
        "refusal": decision.refusal or None,
        "ended": decision.ended.value,
        "recovered_seconds": round(decision.recovered, 3) if decision.recovered is not None else None,
        "why": list(decision.why),
    }


def told(totals: Totals, armed: Armed) -> dict[str, Any]:
    """The totals as they are shown; `put_off`: acts that the policy's budget of an hour would have put off."""
    found = {name: value for name, value in totals.items() if name not in ("seconds", "acts")}
    seconds = totals["seconds"]
    return {
        **found,
        "median_seconds_to_recover": round(median(seconds), 3) if seconds else None,
        "put_off": _put_off(sorted(totals["acts"]), armed.policy.max_per_hour),
        "unseen": unseen(armed),
    }


def _put_off(moments: Sequence[float], most: int) -> int:
    """Each that is put off goes as soon as there is room."""
    went: list[datetime] = []
    found = 0
    for moment in moments:
        now = datetime.fromtimestamp(moment).astimezone()
        free = budget_free_at(went[-most:], most, now)
        found += free is not None
        went.append(free or now)
    return found


def unseen(armed: Armed) -> list[str]:
    """The issues and metrics of its condition that no log tells of."""
    found = set()
    for leaf in leaves(armed.condition):
        if leaf.metric in UNSEEN_METRICS:
            found.add(leaf.metric)
        if leaf.metric == "issue":
            found |= UNSEEN_CODES & set(leaf.bound if isinstance(leaf.bound, tuple) else (leaf.bound,))
    return sorted(str(one) for one in found)
