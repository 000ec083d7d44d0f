"""A child whose definition is a placeholder: what is known of it before the run, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.definition import DefinitionErrors, validate_definition, warnings_of
from orchestration.core.definition.actions import ChildSaga
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.failure_matrix import failure_matrix

PLAN = {"step_id": "plan", "forward_action": {"type": "task", "handler": "plan"}}


def saga(definition: object, *before: dict[str, Any], **more: Any) -> dict[str, Any]:
    build = {"step_id": "build", "forward_action": {"type": "saga", "definition": definition}}
    return {"saga_id": "s", "steps": [*before, build | more]}


def problem(data: dict[str, Any]) -> tuple[str, str, str]:
    with pytest.raises(DefinitionErrors) as refused:
        validate_definition(data)
    (only,) = refused.value.problems
    return only.step, only.field, f"{only.message}; {only.remedy}"


def test_it_needs_the_step_that_gives_it() -> None:
    definition = validate_definition(saga("{plan.build}", PLAN))
    action = definition.steps[1].forward_action
    assert isinstance(action, ChildSaga) and action.is_found_out
    plan = compile_plan(definition)
    assert plan.steps["build"].needs == {"plan"} and plan.steps["build"].has_undo and plan.steps["build"].external


def test_a_failed_plan_that_is_passed_over_skips_it() -> None:
    """Rule 6: a step whose input a non-critical failure left missing is skipped."""
    rows = failure_matrix(compile_plan(validate_definition(saga("{plan.build}", PLAN | {"critical": False}))))
    assert [(row.step_id, row.mishap, row.status.value, row.undone) for row in rows if row.mishap == "fails"] == [
        ("plan", "fails", "completed", ()), ("build", "fails", "rolled_back", ())
    ]  # fmt: skip
    (after,) = [row for row in rows if (row.step_id, row.mishap) == ("build", "times out")]
    assert after.undone == (("build",),), "the matrix knows that a child is undone, whatever it will hold"


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("{later.build}", "names the output of 'later', which does not come before 'build'"),
        ("{secret:PLAN}", "is a secret reference, and a definition is no secret"),
        ("{plan.build} and more", "string should match pattern"),
        ("{{plan.build}}", "string should match pattern"),
        ("{plan..build}", "a placeholder is a dotted plain name"),
    ],
)
def test_what_can_never_be_a_definition_is_refused_before_the_run(definition: str, said: str) -> None:
    data = saga(definition, PLAN)
    data["steps"].append({"step_id": "later", "forward_action": {"type": "task", "handler": "x"}})
    step, field, message = problem(data)
    assert step == "build" and field.startswith("forward_action") and said in message


def test_what_the_step_before_cannot_give_is_refused() -> None:
    schema = {"type": "object", "properties": {"build": {}}, "additionalProperties": False}
    assert "the output of 'plan' has no 'biuld'" in problem(saga("{plan.biuld}", PLAN | {"output_schema": schema}))[2]
    wait = {"step_id": "plan", "forward_action": {"type": "wait", "seconds": 1}}
    assert "the output of 'plan' has no 'build'" in problem(saga("{plan.build}", wait))[2]


def test_a_braced_name_inside_a_definition_in_place_is_the_childs_own() -> None:
    """Templates of a definition that is written in place are filled in by its own run, as before."""
    inner = {"saga_id": "i", "steps": [{"step_id": "a", "forward_action": {"type": "task", "v": "{x}"}}],
             "context": {"x": 1}}  # fmt: skip
    assert compile_plan(validate_definition(saga(inner, PLAN))).steps["build"].needs == frozenset()


def test_it_is_warned_of_like_any_child() -> None:
    remarks = warnings_of(validate_definition(saga("{plan.build}", PLAN, retry_count=2)))
    assert any("retry_count has no effect on a step of type saga" in line for line in remarks)
