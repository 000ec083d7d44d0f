"""What is wrong with one step by itself: what its action cannot go with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orchestration.core.definition.calls import poll_problems
from orchestration.core.definition.models import DEFAULT_TIMEOUTS
from orchestration.core.definition.problems import Problem, short


def timeout_problems(holder: Mapping[str, Any], step: str) -> list[Problem]:
    if holder.get("timeout_seconds") is None or holder.get("timeout_minutes") is None:
        return []
    value = f"{short(holder['timeout_seconds'])} s and {short(holder['timeout_minutes'])} min"
    message, remedy = "is given beside timeout_minutes", "give only one of the two"
    return [Problem(step=step, field="timeout_seconds", value=value, message=message, remedy=remedy)]


def step_problems(label: str, step: Mapping[str, Any]) -> list[Problem]:
    found = []
    if step.get("pivot") is True and step.get("critical") is False:
        message = "a pivot decides whether the saga can still go back, so its failure cannot be passed over"
        remedy = "remove critical: false, or pivot"
        found.append(Problem(step=label, field="critical", value="False", message=message, remedy=remedy))
    forward = step.get("forward_action")
    kind = forward.get("type") if isinstance(forward, dict) else None
    if kind == "saga" and step.get("compensation_action") is not None:
        message, remedy = "a child saga is undone by its own compensations", "remove it, and put it into the child"
        found.append(Problem(step=label, field="compensation_action", value="", message=message, remedy=remedy))
    if kind in ("saga", "wait") and step.get("probe_action") is not None:
        message, remedy = f"the outcome of a {kind} is always known", "remove it"
        found.append(Problem(step=label, field="probe_action", value="", message=message, remedy=remedy))
    if kind in ("saga", "wait") and step.get("output_schema") is not None:
        message, remedy = f"the output of a {kind} is always the same", "remove it"
        found.append(Problem(step=label, field="output_schema", value="", message=message, remedy=remedy))
    found += poll_problems(step, label, _timeout(step, kind))
    return found + _gate(label, step, kind) + _probe(label, step.get("probe_action"))


def _timeout(step: Mapping[str, Any], kind: object) -> float:
    """Seconds of one attempt of a step; the default where the bound that is given is wrong."""
    for key, unit in (("timeout_seconds", 1.0), ("timeout_minutes", 60.0)):
        given = step.get(key)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return given * unit
    return DEFAULT_TIMEOUTS.get(str(kind), 60.0)


def _gate(label: str, step: Mapping[str, Any], kind: object) -> list[Problem]:
    found = []
    if step.get("approval") is not None and kind in ("approval", "wait"):
        message, remedy = f"a step of type {kind} cannot have one besides", "put the approval into a step before it"
        found.append(Problem(step=label, field="approval", value="", message=message, remedy=remedy))
    if kind == "approval":
        for field in ("compensation_action", "probe_action", "output_schema"):
            if step.get(field) is not None:
                message, remedy = "an approval performs no action, so this has no effect", "remove it"
                found.append(Problem(step=label, field=field, value="", message=message, remedy=remedy))
        if step.get("critical") is False:
            message = "a run cannot go on past an approval that was refused"
            remedy = "remove critical: false, or put `approval:` on the step that needs it"
            found.append(Problem(step=label, field="critical", value="False", message=message, remedy=remedy))
    return found


def rework_problems(
    steps: Sequence[tuple[str, Mapping[str, Any]]], dependencies: Mapping[str, Collection[str]]
) -> list[Problem]:
    """What a gate has done again comes before it; otherwise changes would lead nowhere."""
    found = []
    for label, step in steps:
        for field in ("forward_action", "approval"):
            block = step.get(field)
            if not isinstance(block, dict) or (field == "forward_action" and block.get("type") != "approval"):
                continue
            named = block.get("rework")
            if not isinstance(named, str):
                if "reworked" in block:
                    message, remedy = "counts for `rework`, and there is none", "name the step in rework, or remove it"
                    at = f"{field}.reworked"
                    found.append(
                        Problem(step=label, field=at, value=short(block["reworked"]), message=message, remedy=remedy)
                    )
                continue
            before = _before(label, dependencies)
            if named not in before:
                remedy = f"one of: {', '.join(sorted(before)[:20])}" if before else "remove it: nothing comes before it"
                message = "is no step that comes before this one"
                found.append(
                    Problem(step=label, field=f"{field}.rework", value=short(named), message=message, remedy=remedy)
                )
    return found


def _before(label: str, dependencies: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(dependencies.get(label, ()))
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += dependencies.get(one, ())
    return found


def _probe(label: str, probe: object) -> list[Problem]:
    expect = probe.get("expect") if isinstance(probe, dict) else None
    if expect is None or isinstance(expect, dict):
        return []
    message, remedy = "must be a mapping", "map dotted names of the probe's output to the values they must have"
    return [Problem(step=label, field="probe_action.expect", value=short(expect), message=message, remedy=remedy)]
