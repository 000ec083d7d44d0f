"""From what somebody gave as a spec to a ProjectSpec, or to every problem in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from orchestration.core.definition.problems import DefinitionErrors, Problem
from orchestration.core.likeness import bounded
from orchestration.core.project.config import ProjectConfig
from orchestration.core.project.faults import fault, faults_of, plain_of, without_refused
from orchestration.core.project.gates import gate_faults
from orchestration.core.project.planning import faults_of_tasks
from orchestration.core.project.quantities import amounts, durations
from orchestration.core.project.spec import ProjectSpec
from orchestration.core.templates.names import MARK
from orchestration.core.templates.tokens import texts_in

SPEC = "project_spec"
"""The field of what is wrong with the whole."""
MOST_BYTES = 512 * 1024
OF_CONFIG = {
    key: f"it is of the configuration: --config {key}=…, or `config` beside `project_spec`"
    for key in ProjectConfig.model_fields
}
NEEDED = frozenset({"requirements", "agents_required", "approval_gates", "tasks", "planner"})
"""Fields that others refer to: what is said of the rest without them would be wrong."""
STAND_INS = {"project_id": "project", "name": "project"}
SHORTER = "give large texts as files of the repository"


@bounded
def validate_spec(data: object) -> ProjectSpec:
    """The spec. `data`: JSON-like, or a ProjectSpec, which is checked in full as well.

    Raises:
        DefinitionErrors: with every problem found.
    """
    spec, found = read_spec(data)
    if spec is None or found:
        raise DefinitionErrors(found)
    return spec


@bounded
def read_spec(data: object) -> tuple[ProjectSpec | None, list[Problem]]:
    """The spec as far as it can be read, and every problem found. `data`: as of `validate_spec`.

    One with problems is there so that more can be found, without what nothing else depends on. It is None where too
    little can be read.
    """
    given = data.plain() if isinstance(data, ProjectSpec) else data
    try:
        plain = plain_of(given, SPEC, most_bytes=MOST_BYTES, remedy=SHORTER)
    except DefinitionErrors as errors:
        return None, list(errors.problems)
    if not isinstance(plain, dict):
        return None, [fault(SPEC, plain, "is no mapping", "begin with project_id: and requirements:")]
    constraints = [*_constraints(plain.get("constraints"))]
    try:
        spec = ProjectSpec.model_validate(plain)
    except ValidationError as error:
        found = faults_of(error, ProjectSpec, beside=OF_CONFIG)
        rest = without_refused(plain, error, ProjectSpec, keep=NEEDED)
        try:
            spec = ProjectSpec.model_validate({**STAND_INS, **rest})
        except ValidationError:
            return None, [*found, *constraints]
    else:
        found = []
    return spec, [*found, *_together(spec), *constraints, *faults_of_tasks(spec), *gate_faults(spec)]


def timeline_seconds(spec: ProjectSpec) -> float | None:
    """The deadline that a valid spec gives; None where it gives none."""
    given = spec.constraints.get("timeline")
    return None if given is None else durations.seconds_of(given)


def budget_of(spec: ProjectSpec) -> amounts.Amount | None:
    """The budget that a valid spec gives; None where it gives none."""
    given = spec.constraints.get("budget")
    return None if given is None else amounts.amount_of(given)


def warnings_of_budgets(spec: ProjectSpec, cap: amounts.Amount | None) -> list[str]:
    """What is valid about the money of a project, and probably not meant. `cap`: the budget of its configuration."""
    tasks = [amounts.amount_of(task.budget) for task in spec.tasks if task.budget is not None]
    return amounts.warnings_of([budget_of(spec), cap, *tasks])


def _together(spec: ProjectSpec) -> Iterator[Problem]:
    if ".." in spec.project_id or spec.project_id.endswith((".", ".lock")):
        message, remedy = "can be in no name of a branch", "leave out '..', and a '.' or '.lock' at its end"
        yield fault("project_id", spec.project_id, message, remedy)
    seen = Counter(text.strip().casefold() for text in spec.requirements)
    for number, text in enumerate(spec.requirements):
        if seen[text.strip().casefold()] > 1:
            yield fault(f"requirements[{number}]", text, "is given more than once", "say each requirement once")
    plain: Any = spec.plain()
    for field in sorted(plain):
        if any(MARK in text for text in texts_in(plain[field]) if field != "success_criteria"):
            remedy = "give secrets to agents by the `env` of their endpoint"
            yield fault(field, "{secret:…}", "holds a secret reference, which agents and people would read", remedy)
    for number, criterion in enumerate(spec.success_criteria):
        if MARK in criterion.text or (isinstance(criterion.check, str) and MARK in criterion.check):
            remedy = "a check by api_call can hold one; a shell command reads the environment of its worker"
            yield fault(f"success_criteria[{number}]", "{secret:…}", "holds a secret reference", remedy)


def _constraints(given: object) -> Iterator[Problem]:
    if not isinstance(given, dict):
        return
    for key, read, how in (
        ("timeline", durations.seconds_of, durations.HOW),
        ("budget", amounts.amount_of, amounts.HOW),
    ):
        if given.get(key) is not None:
            try:
                read(given[key])
            except ValueError as error:
                yield fault(f"constraints.{key}", given[key], str(error), how)
