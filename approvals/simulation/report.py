"""A simulation as one JSON object, and as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from approvals.core.approval.events import Delivered, Voted
from approvals.core.approval.plan import in_order
from approvals.core.enums import Status
from approvals.core.simulation.simulate import Moment
from approvals.simulation.simulate import Simulated
from approvals.simulation.text import told, what
from foundation.console import text


def view(given: Simulated, at: datetime) -> dict[str, Any]:
    """A simulation that began at `at` as JSON; each time in UTC and in the policy's zone."""
    zone = ZoneInfo(given.policy.hours.zone)
    refused = f"such a request is refused: {given.refused}" if given.refused else ""
    moments = () if refused else [one for one in given.course.moments if not isinstance(one.event, Delivered)]
    return {
        "policy": given.policy.policy,
        "zone": str(zone),
        "at": both(at, zone),
        "auto_approve": {"condition": given.policy.auto_approve or None, "holds": given.by_rule},
        "can_pass": {"possible": False, "at": None, "by": [], "words": refused} if refused else _can_pass(given, zone),
        "stages": [_stage(given, number) for number in range(len(given.plan.stages))],
        "away": [
            {"name": given.name(one), "deputies": [given.name(deputy) for deputy in deputies]}
            for one, deputies in given.away.items()
        ],
        "left_out": list(given.left_out),
        "timeline": [_moment(given, one, zone) for one in moments],
        "not_counted": [
            {"name": given.name(one.vote.person), "decision": one.vote.choice, "at": both(one.vote.at, zone),
             "why": one.why}
            for one in given.course.refused
        ],
        "end": {"status": "refused", "at": both(at, zone), "words": refused, "waiting_for": []}
        if refused
        else _end(given, zone),
    }  # fmt: skip


def both(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """A time in UTC and in the policy's zone."""
    return {"utc": at.astimezone(UTC).isoformat(), "local": at.astimezone(zone).isoformat()}


def _stage(given: Simulated, number: int) -> dict[str, Any]:
    stage, plan = given.plan.stages[number], given.plan
    return {
        "name": stage.name,
        "people": [given.name(one) for one in in_order(stage.people - plan.barred)],
        "how_many": given.policy.stages[number].how_many,
        "at_the_end": stage.at_the_end.value if stage.expires else None,
    }


def _moment(given: Simulated, one: Moment, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "at": both(one.at, zone),
        "status": one.after.status.value,
        "stage": given.plan.stages[one.after.stage].name,
        "what": what(given.plan, one, given.names),
        "told": told(one, given.names),
    }


def _can_pass(given: Simulated, zone: ZoneInfo) -> dict[str, Any]:
    best, state = given.best, given.best.state
    yes = [
        {"name": given.name(one.event.person), "at": both(one.at, zone)}
        for one in best.moments
        if isinstance(one.event, Voted)
    ]
    possible = state.status is Status.APPROVED
    words = state.last_words or ("when these say yes" if possible else "nobody is left who could decide")
    return {
        "possible": possible,
        "at": both(best.moments[-1].at, zone) if possible else None,
        "by": yes,
        "words": words,
    }


def _end(given: Simulated, zone: ZoneInfo) -> dict[str, Any]:
    state, over = given.course.state, given.course.state.status.is_end
    waiting = [given.name(one) for one in state.awaited] if state.status.can_be_decided else []
    at = both(given.course.moments[-1].at, zone) if over else None
    return {"status": state.status.value, "at": at, "words": state.last_words, "waiting_for": waiting}


def show(view: dict[str, Any]) -> None:
    """Print the result of `view` as text."""
    asked = view["at"]
    text.line(f"policy {view['policy']}, asked for at {_clock(asked)}")
    for stage in view["stages"]:
        needs = stage["how_many"] if isinstance(stage["how_many"], int | str) else json.dumps(stage["how_many"])
        text.line(f"  stage {stage['name']}: {needs} of {', '.join(stage['people']) or 'nobody'}")
    rule = view["auto_approve"]
    if rule["condition"]:
        text.line(f"  the rule {rule['condition']!r} {'holds' if rule['holds'] else 'does not hold'}")
    for one in view["away"]:
        text.line(f"  away: {one['name']}, for whom {', '.join(one['deputies']) or 'nobody'} decides")
    for line in view["left_out"]:
        text.line(f"  left out: {line}")
    for entry in view["timeline"]:
        text.line(f"{_clock(entry['at'])}  {'; '.join(entry['what'])}")
    for one in view["not_counted"]:
        text.line(f"{_clock(one['at'])}  {one['name']}'s {one['decision']} does not count: {one['why']}")
    _show_end(view)


def _show_end(view: dict[str, Any]) -> None:
    end, best = view["end"], view["can_pass"]
    waiting = f", waits for {', '.join(end['waiting_for'])}" if end["waiting_for"] else ""
    text.line(f"end: {end['status']}{waiting}{': ' + end['words'] if end['words'] else ''}")
    names = ", ".join(one["name"] for one in best["by"])
    sooner = f", at the soonest at {_clock(best['at'])}" if best["at"] else ""
    text.line(
        f"can it pass: {'yes' if best['possible'] else 'no'}{sooner}{f' ({names})' if names else ''}: {best['words']}"
    )


def _clock(at: dict[str, str]) -> str:
    """UTC, and the policy's zone where that is another."""
    utc, local = datetime.fromisoformat(at["utc"]), datetime.fromisoformat(at["local"])
    there = "" if utc.utcoffset() == local.utcoffset() else f" ({local:%a %d %H:%M %z})"
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC{there}"
