"""Where a gate stands: by its task, its phase, its words, its requirement; else it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectConfig, ProjectSpec, compile_tasks, planned, validate_plan, validate_spec
from orchestration.core.project.gates import phase_gates
from tests.orchestration.core.project.specs import ECOMMERCE, WEB_APP, given, spec, task


def beside_phases(made: ProjectSpec) -> list[tuple[str, str, str]]:
    return [(one.gate.name, one.side, one.phase) for one in phase_gates(validate_spec(made))]


def beside_tasks(made: ProjectSpec) -> list[tuple[str, str, bool]]:
    plan = planned(validate_spec(made))
    assert plan is not None
    return [(gate.name, gate.task_id, gate.after) for gate in plan.gates]


def test_the_seeds_gates() -> None:
    assert beside_phases(ProjectSpec(**ECOMMERCE)) == [
        ("Architecture Review", "before", "build"), ("Security Review", "after", "verify"),
        ("Performance Testing", "after", "verify"), ("Production Deployment", "before", "deploy"),
    ]  # fmt: skip
    made = ProjectSpec(**WEB_APP)
    assert beside_phases(made) == [("Backend API", "before", "verify"), ("deployment", "before", "deploy")]
    assert beside_tasks(made) == [], "no task is named by its words: before verify"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("Design", ("before", "build")), ("Plan approval", ("before", "build")), ("planning", ("before", "build")),
        ("Code review", ("after", "verify")), ("Tests", ("after", "verify")), ("release", ("before", "deploy")),
        ("Release review", ("before", "deploy")), ("Verify", ("before", "verify")), ("report", ("before", "report")),
        ("before the build", ("before", "build")), ("API review", ("after", "verify")),
    ],
)  # fmt: skip
def test_words_say_when(name: str, where: tuple[str, str]) -> None:
    assert beside_phases(spec(approval_gates=[name])) == [(name, *where)]


def test_a_gate_that_names_a_task_comes_first() -> None:
    made = spec(approval_gates=["t1", "a till", "Review"], requirements=["A cart", "A till"])
    assert beside_tasks(made) == [("t1", "t1", False), ("a till", "t2", False)]
    by_hand = spec(
        approval_gates=["Security Review"],
        tasks=[task("cart", "R1"), task("audit", "R2", title="Security review")],
    )
    assert beside_tasks(by_hand) == [("Security Review", "audit", False)] and beside_phases(by_hand) == []


def test_parts_of_the_work_are_asked_about_before_the_tasks_that_they_name_are_merged() -> None:
    made = spec(
        requirements=["REST API for carts", "A frontend", "Docs of the APIs"],
        approval_gates=["Back-end API", "Front end"],
    )
    assert beside_tasks(made) == [
        ("Back-end API", "t1", False), ("Back-end API", "t3", False), ("Front end", "t2", False)
    ]  # fmt: skip


def test_a_gate_that_names_a_requirement() -> None:
    made = spec(requirements=["Shopping cart and checkout", "A till"], approval_gates=["Checkout cart"])
    assert beside_tasks(made) == [("Checkout cart", "t1", False)]


def test_before_and_after_say_it_outright() -> None:
    gates = [{"name": "x", "after": "plan"}, {"name": "y", "before": "t2"}, {"name": "z", "after": "T1"}]
    made = spec(approval_gates=gates)
    assert beside_phases(made) == [("x", "after", "plan")]
    assert beside_tasks(made) == [("y", "t2", False), ("z", "t1", True)]


def test_two_gates_of_one_name_are_two_gates() -> None:
    found = phase_gates(spec(approval_gates=["Database", "Database"]))
    assert len({one.gate_id for one in found}) == 2


@pytest.mark.parametrize(
    ("gate", "field", "said"),
    [
        ("Vibes", "approval_gates[0]", "matches no task, phase, word or requirement"),
        ("the of and", "approval_gates[0]", "matches no task"),
        ({"name": "x", "before": "nowhere"}, "approval_gates[0].before", "is no phase and no task"),
        ({"name": "x", "before": "build", "after": "plan"}, "approval_gates[0]", "is both before and after"),
    ],
)
def test_what_matches_nothing_is_refused_and_the_places_are_listed(gate: Any, field: str, said: str) -> None:
    with pytest.raises(DefinitionErrors) as refused:
        validate_spec(given(approval_gates=[gate]))
    (one,) = refused.value.problems
    assert one.field == field and said in one.message
    if "both" not in said:
        assert "the phases are: prepare, analyze, plan" in one.remedy and "the tasks: t1, t2" in one.remedy


def test_an_agents_plan_has_to_have_the_tasks_that_gates_name() -> None:
    made = validate_spec(given(planner="agent", approval_gates=[{"name": "x", "before": "cart"}]))
    assert planned(made) is None
    tasks = {"tasks": [task("cart", "R1"), task("till", "R2")]}
    assert [gate.task_id for gate in validate_plan(tasks, made).gates] == ["cart"]
    of_all = validate_spec(given(planner="agent", approval_gates=["Database"]))
    assert [gate.task_id for gate in validate_plan(tasks, of_all).gates] == [""], "known too late to stand elsewhere"
    with pytest.raises(DefinitionErrors, match="lack the task 'cart' that the gate 'x' names"):
        validate_plan({"tasks": [task("all", "R1", "R2")]}, made)


def test_a_gate_within_the_build_that_names_no_task_says_that_changes_are_made_by_nobody() -> None:
    made = validate_spec(spec(planner="agent", approval_gates=["Backend API"]))
    ours = validate_plan({"tasks": [task("t1", "R1", "R2")]}, made)
    steps = {one.step_id: one.forward_action for one in compile_tasks(ours, ProjectConfig()).steps}
    (gate,) = (one for one in steps.values() if one.type == "approval")
    assert gate.rework is None and "Changes that are requested here are made by nobody" in str(gate.description)
