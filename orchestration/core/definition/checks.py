"""What the models cannot see: order, names, templates. Works on plain JSON, so that other faults do not hide these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestration.core.definition.actions import LONGEST_SECONDS, UNITS, Script, wait_seconds
from orchestration.core.definition.calls import call_problems, poll_problems
from orchestration.core.definition.models import DEFAULT_TIMEOUTS
from orchestration.core.definition.problems import Problem, did_you_mean, short
from orchestration.core.definition.shape import step_label
from orchestration.core.likeness import nearest
from orchestration.core.order import Place, ancestors_of, circle_in, dependencies_of, scattered_groups
from orchestration.core.templates import SECRET, action_placeholders, placeholders, problems_in, template_parts
from orchestration.core.templates import url_problems as faults_of_url
from orchestration.core.templates.names import head_of, parts_of
from orchestration.core.templates.tokens import texts_in

MOST_EDGES = 100_000
MOST_LOOKED_UP = 20
"""Unknown ids whose nearest known id is looked for: each look-up compares with every step."""
Steps = Sequence[tuple[str, Mapping[str, Any]]]


def structure_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Every problem of a definition's structure; `data` may be wrong in any other way."""
    steps = _steps(data)
    found = [*_both_timeouts(data, ""), *_ids(steps), *_groups(steps)]
    for label, step in steps:
        found += _both_timeouts(step, label) + _alone(label, step)
    dangling = _dangling(steps)
    found += dangling
    if dangling or len({label for label, _ in steps}) < len(steps):
        return found + _templates(data, steps, None)
    dependencies = dependencies_of(_places(steps))
    disorder = _edges(dependencies) or _circle(circle_in(dependencies))
    return found + disorder + _templates(data, steps, None if disorder else dependencies)


def action_problems(action: Mapping[str, Any], *, step: str, field: str) -> list[Problem]:
    """What is wrong inside one action, apart from what its model refuses."""
    parts = template_parts(action).items()
    found = [_of(step, f"{field}.{key}", value, text) for key, value in parts for text in problems_in(value)]
    url = action.get("url")
    if action.get("type") == "api_call" and isinstance(url, str) and url:
        found += [_of(step, f"{field}.url", url, text) for text in faults_of_url(url)]
    if action.get("type") == "api_call":
        found += call_problems(action, step=step, field=field)
    if action.get("type") == "wait":
        found += _wait(action, step, field)
    if action.get("type") == "approval" or field == "approval":
        found += _ask(action, step, field)
    found += _unknown_keys(action, step, field)
    text = action.get("script")
    if action.get("type") == "script" and isinstance(text, str) and SECRET.search(text):
        found.append(_of(step, f"{field}.script", text, "holds a secret reference; pass it by `env`"))
    return found


def _unknown_keys(action: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    """Of a script: nothing reads them, so each is a slip, or hopes for what there is not.

    Not for its model to refuse: definitions that were stored before have them, and their runs go on.
    """
    if action.get("type") != "script":
        return []
    known = [*Script.model_fields, *(["expect"] if field == "probe_action" else [])]
    strange = [key for key in list(action)[:MOST_LOOKED_UP] if key not in known]
    if "script" not in action:  # what is missing is said with the key that was probably meant
        strange = [key for key in strange if not nearest(key, ["script"])]
    message = "is not a known key of a script"
    return [
        Problem(
            step=step, field=f"{field}.{key}", value=short(action[key]), message=message,
            remedy=did_you_mean(key, known, "its keys"),
        )
        for key in strange
    ]  # fmt: skip


# --- the saga and its order ------------------------------------------------------------------------------------------


def _steps(data: Mapping[str, Any]) -> Steps:
    steps = data.get("steps")
    listed = steps if isinstance(steps, list) else []
    return [(step_label(data, index), step) for index, step in enumerate(listed) if isinstance(step, dict)]


def _places(steps: Steps) -> list[Place]:
    return [Place(label, _given(step), _group(step)) for label, step in steps]


def _given(step: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = step.get("dependencies")
    return tuple(d for d in given if isinstance(d, str)) if isinstance(given, list) else None


def _group(step: Mapping[str, Any]) -> str:
    group = step.get("parallel_group")
    return group if isinstance(group, str) else ""


def _ids(steps: Steps) -> list[Problem]:
    counts = Counter(step["step_id"] for _, step in steps if isinstance(step.get("step_id"), str))
    return [
        Problem(
            step=step_id[:100],
            field="step_id",
            value=short(step_id),
            message=f"is the id of {count} steps",
            remedy="give each step an id of its own",
        )
        for step_id, count in counts.items()
        if count > 1
    ]


def _dangling(steps: Steps) -> list[Problem]:
    known = {label: None for label, _ in steps}
    found: list[Problem] = []
    for label, step in steps:
        for dependency in _given(step) or ():
            if dependency == label:
                message, remedy = "depends on itself", "remove it from its own dependencies"
            elif dependency not in known:
                message = "there is no step with this id"
                others = [s for s in known if s != label] if len(found) < MOST_LOOKED_UP else []
                remedy = did_you_mean(dependency, others, "other steps") or "remove it"
            else:
                continue
            found.append(
                Problem(step=label, field="dependencies", value=short(dependency), message=message, remedy=remedy)
            )
    return found


def _groups(steps: Steps) -> list[Problem]:
    return [
        Problem(
            step=members[-1],
            field="parallel_group",
            value=short(group),
            message=f"the steps of this group do not stand in a row: {', '.join(members[:10])}",
            remedy="put them next to each other, or give each its dependencies",
        )
        for group, members in scattered_groups(_places(steps)).items()
    ]


def _circle(circle: Sequence[str]) -> list[Problem]:
    if not circle:
        return []
    shown = circle if len(circle) <= 12 else [*circle[:6], "…", *circle[-5:]]
    remedy = "remove one of these dependencies; a step without `dependencies` waits for the step before it in the list"
    message = f"the steps wait for each other: {' → '.join(shown)}"
    return [Problem(step=circle[0], field="dependencies", value="", message=message, remedy=remedy)]


def _edges(dependencies: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    edges = sum(map(len, dependencies.values()))
    if edges <= MOST_EDGES:
        return []
    message = f"the steps have {edges} dependencies between them, more than {MOST_EDGES}"
    remedy = "put a step that only gathers (type: wait, seconds: 0) between two large groups"
    return [Problem(step="", field="steps", value="", message=message, remedy=remedy)]


def _both_timeouts(holder: Mapping[str, Any], step: str) -> list[Problem]:
    if holder.get("timeout_seconds") is None or holder.get("timeout_minutes") is None:
        return []
    value = f"{short(holder['timeout_seconds'])} s and {short(holder['timeout_minutes'])} min"
    message, remedy = "is given beside timeout_minutes", "give only one of the two"
    return [Problem(step=step, field="timeout_seconds", value=value, message=message, remedy=remedy)]


# --- one step --------------------------------------------------------------------------------------------------------


def _alone(label: str, step: Mapping[str, Any]) -> list[Problem]:
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
                message, remedy = "an approval does nothing that this could go with", "remove it"
                found.append(Problem(step=label, field=field, value="", message=message, remedy=remedy))
        if step.get("critical") is False:
            message = "a run cannot go on past an approval that was refused"
            remedy = "remove critical: false, or put `approval:` on the step that needs it"
            found.append(Problem(step=label, field="critical", value="False", message=message, remedy=remedy))
    return found


def _ask(ask: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    found = []
    if any(SECRET.search(text) for text in texts_in(ask)):
        message, remedy = "is shown to people, so it cannot hold a secret", "leave the reference out"
        found.append(Problem(step=step, field=field, value="", message=message, remedy=remedy))
    if ask.get("policy") is not None:
        for key in ("approvers", "how_many"):
            if ask.get(key) is not None:
                message, remedy = "the policy says who decides", "remove it, or the policy"
                found.append(Problem(step=step, field=f"{field}.{key}", value="", message=message, remedy=remedy))
    return found


def _probe(label: str, probe: object) -> list[Problem]:
    expect = probe.get("expect") if isinstance(probe, dict) else None
    if expect is None or isinstance(expect, dict):
        return []
    message, remedy = "must be a mapping", "map dotted names of the probe's output to the values they must have"
    return [Problem(step=label, field="probe_action.expect", value=short(expect), message=message, remedy=remedy)]


def _wait(action: Mapping[str, Any], step: str, field: str) -> list[Problem]:
    until = action.get("until")
    units = [unit for unit in UNITS if action.get(unit) is not None]
    if until is not None:
        return _until(until, units, step, field)
    if not units:
        known = [*UNITS, "until"]
        near = [(key, nearest(key, known)) for key in action if key != "type" and key not in known]
        meant = next((f"did you mean '{unit}' by '{key}'?" for key, unit in near if unit), "")
        remedy = meant or f"give until, or one or more of: {', '.join(UNITS)}"
        return [Problem(step=step, field=field, value="", message="says not how long to wait", remedy=remedy)]
    if wait_seconds(action) > LONGEST_SECONDS:
        message, remedy = "waits longer than 366 days", "wait less, or let another system start a saga later"
        return [Problem(step=step, field=field, value="", message=message, remedy=remedy)]
    return []


def _until(until: object, units: Sequence[str], step: str, field: str) -> list[Problem]:
    if units:
        message, remedy = f"is given beside {' and '.join(units)}", "give either a time or a length"
        return [Problem(step=step, field=f"{field}.until", value=short(until), message=message, remedy=remedy)]
    if not isinstance(until, str) or "{" in until or _is_time(until):
        return []
    message, remedy = "is not a time with its offset", "write it as 2026-07-01T08:00:00+02:00, or with Z for UTC"
    return [Problem(step=step, field=f"{field}.until", value=short(until), message=message, remedy=remedy)]


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


# --- templates -------------------------------------------------------------------------------------------------------


def _templates(
    data: Mapping[str, Any], steps: Steps, dependencies: Mapping[str, tuple[str, ...]] | None
) -> list[Problem]:
    """Malformed templates always; names of steps that do not come before only when the order is sound."""
    sight = None if dependencies is None else _Sight(data, dependencies)
    found = []
    for label, step in steps:
        for field in ("forward_action", "compensation_action", "probe_action", "approval"):
            action = step.get(field)
            if isinstance(action, dict):
                found += action_problems(action, step=label, field=field)
                own = field == "compensation_action"
                found += sight.problems(label, field, action_placeholders(action), own=own) if sight else []
        key = step.get("idempotency_key")
        if isinstance(key, str):
            found += _key_problems(label, key)
            found += sight.problems(label, "idempotency_key", placeholders(key), own=False) if sight else []
    return found


def _key_problems(label: str, key: str) -> list[Problem]:
    found = [_of(label, "idempotency_key", key, text) for text in problems_in(key)]
    if SECRET.search(key):
        found.append(_of(label, "idempotency_key", key, "is kept and sent openly; it cannot hold a secret"))
    return found


class _Sight:
    """Which steps a step can see: {step.name} needs that step to come before."""

    def __init__(self, data: Mapping[str, Any], dependencies: Mapping[str, tuple[str, ...]]) -> None:
        self.dependencies = dependencies
        self.bits = {step_id: 1 << index for index, step_id in enumerate(dependencies)}
        self.ancestors = ancestors_of(dependencies)
        context = data.get("context")
        self.context = context if isinstance(context, dict) else {}

    def problems(self, label: str, field: str, names: frozenset[str], *, own: bool) -> Iterator[Problem]:
        for name in sorted(name for name in names if len(parts_of(name)) > 1):
            head = head_of(name)
            if head not in self.bits or (own and head == label):
                continue
            if not self.bits[head] & self.ancestors[label]:
                yield self._unseen(label, field, name, head)

    def _unseen(self, label: str, field: str, name: str, head: str) -> Problem:
        if head in self.context:
            message = f"'{head}' is a key of the context and also a step that '{label}' cannot see"
            remedy = "rename the step or the key"
        elif head == label:
            message, remedy = "names the output of its own step", "only a compensation_action can see that"
        else:
            message = f"names the output of '{head}', which does not come before '{label}'"
            remedy = f"add '{head}' to the dependencies of '{label}'"
        return Problem(step=label, field=field, value=short(f"{{{name}}}"), message=message, remedy=remedy)


def _of(step: str, field: str, value: object, text: str) -> Problem:
    """A problem from 'message; remedy'."""
    message, _, remedy = text.partition("; ")
    return Problem(step=step, field=field, value=short(value), message=message, remedy=remedy)
