"""What the models cannot see: order, names, templates. Works on plain JSON, so that other faults do not hide these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.core.dag import Place, circle_in, dependencies_of, scattered_groups
from orchestration.core.definition.action_checks import MOST_LOOKED_UP
from orchestration.core.definition.problems import Problem, did_you_mean, short
from orchestration.core.definition.shape import step_label
from orchestration.core.definition.step_checks import rework_problems, step_problems, timeout_problems
from orchestration.core.definition.template_checks import Steps, template_problems

MOST_EDGES = 100_000


def structure_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Every problem of a definition's structure; `data` may be wrong in any other way."""
    steps = _steps(data)
    found = [*timeout_problems(data, ""), *_ids(steps), *_groups(steps)]
    for label, step in steps:
        found += timeout_problems(step, label) + step_problems(label, step)
    dangling = _dangling(steps)
    found += dangling
    if dangling or len({label for label, _ in steps}) < len(steps):
        return found + template_problems(data, steps, None)
    dependencies = dependencies_of(_places(steps))
    disorder = _edges(dependencies) or _circle(circle_in(dependencies))
    found += [] if disorder else rework_problems(steps, dependencies)
    return found + disorder + template_problems(data, steps, None if disorder else dependencies)


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
