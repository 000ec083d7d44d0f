"""The two sagas of a project: what stands in them, in which order, and that every key of the spec has its effect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestration.core.definition import DefinitionErrors, SagaDefinition, definition_hash, validate_definition
from orchestration.core.definition.actions import Agent
from orchestration.core.project import (
    ProjectPlan,
    ProjectSpec,
    compile_project,
    compile_tasks,
    planned,
    validate_plan,
)
from orchestration.core.project.config import ProjectConfig
from orchestration.core.project.proposals import proposed
from orchestration.core.project.sagas.gates_of_all import compile_gates_of_all
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.failure_matrix import failure_matrix
from orchestration.core.templates import Scope, render_action
from tests.orchestration.core.project.specs import (
    ECOMMERCE,
    ECOMMERCE_CONFIG,
    WEB_APP,
    WEB_APP_CONFIG,
    either,
    given,
    spec,
    task,
)


def order(definition: SagaDefinition) -> list[str]:
    return [step.step_id for step in definition.steps]


def action(definition: SagaDefinition, step_id: str) -> dict[str, Any]:
    return next(step for step in definition.steps if step.step_id == step_id).forward_action.plain()


def plan_of(made: ProjectSpec) -> ProjectPlan:
    plan = planned(made)
    assert plan is not None
    return plan


def waits_for(definition: SagaDefinition, step_id: str) -> tuple[str, ...]:
    return compile_plan(definition).steps[step_id].dependencies


def test_the_seeds_first_example() -> None:
    definition = compile_project(ProjectSpec(**ECOMMERCE), ECOMMERCE_CONFIG)
    assert order(definition) == [
        "prepare", "analyze", "plan", "gate-1-architecture-review", "build", "changes", "rework", "verify",
        "gate-2-security-review",
        "gate-3-performance-testing", "accept", "gate-4-production-deployment", "deploy", "report",
    ]  # fmt: skip
    assert definition.effective_timeout_seconds == 28 * 86400
    gate = action(definition, "gate-4-production-deployment")
    assert gate["stage"] == "Production Deployment" and gate["timeout_seconds"] == 48 * 3600
    assert gate["context"] == {
        "tasks": "{changes.in_words}", "plan_hash": "{changes.plan_hash}", "coverage": "{changes.coverage}",
        "constraints": [f"{key}: {value}" for key, value in ECOMMERCE["constraints"].items()],
        "commit": "{verify.commit}", "evidence": "{verify.evidence_digest}", "cost_so_far": "{verify.cost_so_far}",
        "tests_changed": "{verify.tests_changed}",
    }  # fmt: skip
    tasks = compile_tasks(plan_of(ProjectSpec(**ECOMMERCE)), ECOMMERCE_CONFIG)
    assert tasks.max_parallel == 3 and len(tasks.steps) == 16
    agents = [step.forward_action for step in tasks.steps if isinstance(step.forward_action, Agent)]
    assert [one.agent for one in agents[:4]] == ["CLAUDE", "AIDER", "CODEX", "CLAUDE"]


def test_the_seeds_second_section() -> None:
    definition = compile_project(ProjectSpec(**WEB_APP), WEB_APP_CONFIG)
    assert order(definition)[-3:] == ["accept", "gate-2-deployment", "report"], (
        "where nothing is deployed it stands here"
    )
    assert order(definition)[3:8] == ["build", "changes", "rework", "built", "gate-1-backend-api"]
    gate = action(definition, "gate-1-backend-api")
    assert gate["rework"] == "changes" and gate["context"]["commit"] == "{built.commit}"
    assert order(compile_tasks(plan_of(ProjectSpec(**WEB_APP)), WEB_APP_CONFIG))[-1] == "t4-merge"


def test_a_gate_that_may_name_no_task_of_an_agents_plan_stands_before_verify_then() -> None:
    made = spec(planner="agent", approval_gates=["Database", {"name": "x", "before": "a"}, "Release"])
    plan = validate_plan({"tasks": [task("a", "R1"), task("b", "R2")]}, made)
    definition = compile_project(made)
    names = order(definition)
    assert names[names.index("rework") :][1:4] == ["built", "gates", "verify"]
    assert action(definition, "gates")["definition"] == "{built.gates}"
    asked = compile_gates_of_all(made, ProjectConfig(), [one for one in plan.gates if not one.task_id], reworked=2)
    assert order(asked) == ["sent-back", "gate-1-database"]
    gate = action(asked, "gate-1-database")
    assert gate["rework"] == "sent-back" and gate["reworked"] == 2
    assert set(gate["context"]) == set(action(definition, "gates")["context"]) >= {"commit", "plan_hash", "tasks"}
    assert order(compile_gates_of_all(made, ProjectConfig(), [])) == ["nothing"]
    of_tasks = order(compile_tasks(plan, of_all=False))
    assert "gate-2-x-a" in of_tasks and "gate-1-database" not in of_tasks
    assert set(waits_for(compile_tasks(plan), "gate-1-database")) == {"a-merge", "b-merge"}, "a saga of its own asks"


def test_no_gate_of_all_is_looked_for_where_each_has_its_place_beforehand() -> None:
    named = {"name": "x", "before": "a"}
    for made in (spec(approval_gates=["Database"]), spec(planner="agent", approval_gates=["Release", named])):
        assert "gates" not in order(compile_project(made))


def test_build_is_a_child_that_the_plan_gives() -> None:
    definition = compile_project(spec())
    assert action(definition, "build")["definition"] == "{plan.build}"
    assert compile_plan(definition).steps["build"].needs == {"plan"}


def test_an_abort_takes_back_what_was_merged_and_what_was_prepared() -> None:
    rows = failure_matrix(compile_plan(compile_project(spec())))
    (row,) = [row for row in rows if (row.step_id, row.mishap) == ("verify", "fails")]
    assert row.status == "rolled_back" and row.undone == (("rework",), ("build",), ("prepare",))
    rows = failure_matrix(compile_plan(compile_tasks(plan_of(spec()))))
    (row,) = [row for row in rows if (row.step_id, row.mishap) == ("t2-merge", "fails")]
    assert row.undone == (("t1-merge",),) and row.status == "rolled_back"


def test_an_agent_proposes_and_the_plan_judges() -> None:
    made = spec(planner="agent", requirements=["GET /users/{id}"], agents_required=["CODEX", "CLAUDE"])
    definition = compile_project(made, {"max_attempts": 2})
    assert order(definition)[:4] == ["prepare", "analyze", "proposal", "plan"]
    asks = action(definition, "proposal")
    assert (asks["agent"], asks["changes"]) == ("CODEX", False) and action(definition, "plan")[
        "proposal"
    ] == "{proposal.text}"
    assert "R1: GET /users/{id}" in str(render_action(asks, Scope(context={}))["prompt"])
    assert "proposal" not in order(compile_project(spec(planner="agent", tasks=[task("a", "R1", "R2")])))


@pytest.mark.parametrize(
    "text", ['Here:\n```json\n{"tasks": [1]}\n```\nDone.', 'So {"tasks": [1]} it is', '{"tasks": [1]}']
)
def test_the_tasks_in_an_answer(text: str) -> None:
    assert proposed(text) == {"tasks": [1]}


@pytest.mark.parametrize("text", ["", "I cannot plan this.", "{", "```json\nno\n```"])
def test_an_answer_without_a_plan_is_refused(text: str) -> None:
    with pytest.raises(DefinitionErrors, match="is no JSON"):
        proposed(text)


def test_a_task_begins_when_what_it_depends_on_is_merged() -> None:
    tasks = [task("cart", "R1"), task("till", "R2", dependencies=["cart"])]
    definition = compile_tasks(validate_plan({"tasks": tasks}, spec()))
    assert waits_for(definition, "till") == ("cart-merge",) and waits_for(definition, "cart") == ()
    assert action(definition, "till-merge")["commit"] == "{till.commit}"


def test_a_gate_after_a_task_holds_back_what_depends_on_it_and_is_bound_to_the_merge() -> None:
    tasks = [task("cart", "R1"), task("till", "R2", dependencies=["cart"])]
    gates = [{"name": "seen", "after": "cart"}, {"name": "wanted", "before": "till"}]
    definition = compile_tasks(plan_of(spec(tasks=tasks, approval_gates=gates)))
    assert waits_for(definition, "till") == ("gate-1-seen-cart",)
    assert action(definition, "gate-1-seen-cart")["context"]["commit"] == "{cart-merge.merged}"
    assert action(definition, "gate-1-seen-cart")["context"]["tests_changed"] == "{cart.tests_changed}"
    assert waits_for(definition, "till-merge") == ("till", "gate-2-wanted-till")
    assert action(definition, "gate-2-wanted-till")["context"]["commit"] == "{till.commit}"


@pytest.mark.parametrize(
    ("config", "most"),
    [({}, 3), ({"max_parallel_agents": 7}, 7), ({"parallel_execution": False, "max_parallel_agents": 7}, 1)],
)
def test_how_many_agents_work_at_once(config: dict[str, Any], most: int) -> None:
    assert compile_tasks(plan_of(spec()), config).max_parallel == most


@pytest.mark.parametrize(
    ("config", "retries"), [({}, 2), ({"max_attempts": 5}, 4), ({"retry_failed_phases": False, "max_attempts": 5}, 0)]
)
def test_how_often_a_task_is_tried(config: dict[str, Any], retries: int) -> None:
    assert compile_tasks(plan_of(spec()), config).steps[0].retry_count == retries


def test_checks_of_tasks_are_left_out_without_automatic_testing() -> None:
    made = plan_of(spec(checks=["make test"]))
    assert action(compile_tasks(made), "t1")["checks"] == ["make test"]
    assert action(compile_tasks(made, {"automatic_testing": False}), "t1")["checks"] == []


def test_every_merge_asks_when_people_merge() -> None:
    definition = compile_tasks(plan_of(spec()), {"merge": "by_hand", "approval_timeout": 60})
    ask = next(step for step in definition.steps if step.step_id == "t1-merge").approval
    assert ask is not None and (ask.stage, ask.timeout_seconds) == ("merge", 60)
    assert all(step.approval is None for step in compile_tasks(plan_of(spec())).steps)


def test_gates_say_who_decides_and_until_when() -> None:
    gates = [{"name": "Release", "policy": "release"}, {"name": "Design", "approvers": ["group:leads"]}]
    definition = compile_project(spec(approval_gates=gates), {"approval_timeout": 60})
    release, design = action(definition, "gate-1-release"), action(definition, "gate-2-design")
    assert (release["policy"], release["timeout_seconds"]) == ("release", 60) and design["approvers"] == ["group:leads"]
    assert "timeout_seconds" not in action(compile_project(spec(approval_gates=gates)), "gate-1-release")


def test_a_timeline_is_the_deadline_and_none_is_none() -> None:
    assert compile_project(spec(constraints={"timeline": "3 days"})).effective_timeout_seconds == 3 * 86400
    assert compile_project(spec()).effective_timeout_seconds is None


def test_a_deployment_is_a_child_before_the_report() -> None:
    definition = compile_project(spec(approval_gates=["release"]), {"deployment_strategy": "blue_green"})
    assert order(definition)[-3:] == ["gate-1-release", "deploy", "report"]
    child = action(definition, "deploy")
    assert child["definition"]["saga_id"] == "deployment.shop"
    assert child["context"] == {"commit": "{verify.commit}", "repository": "{prepare.repository}"}
    assert "deploy" not in order(compile_project(spec(), {"deployment_strategy": "none"}))


def test_a_criterion_by_request_is_a_step_that_stops_nothing() -> None:
    call = {"api_call": {"url": "https://x.example/health", "headers": {"X-Key": "{secret:KEY}"}}}
    made = spec(success_criteria=["fun", {"text": "It {answers}", "check": call}])
    step = next(one for one in compile_project(made).steps if one.step_id == "check-C2")
    assert not step.critical and step.forward_action.type == "api_call" and step.name == "It {{answers}}"


def test_a_fault_of_a_criterions_request_is_told_where_its_author_wrote_it() -> None:
    made = spec(success_criteria=["fun", {"text": "x", "check": {"api_call": {"url": "ftp://x", "methd": "GET"}}}])
    with pytest.raises(DefinitionErrors) as refused:
        compile_project(made)
    fields = {one.field for one in refused.value.problems}
    assert fields == {"success_criteria[1].check.api_call.url", "success_criteria[1].check.api_call.methd"}


def test_texts_of_a_spec_are_no_templates() -> None:
    made = spec(
        name="Shop {x}", description="Use {y}", requirements=["GET /users/{id}", "say {{hi}}"],
        approval_gates=["Review {z}"], constraints={"style": "{w}"},
    )  # fmt: skip
    tasks = compile_tasks(plan_of(made))
    compile_project(made)
    scope = Scope(context=tasks.context)
    prompt = str(render_action(tasks.steps[0].forward_action.plain(), scope)["prompt"])
    assert "GET /users/{id}" in prompt and "Use {y}" in prompt and "style: {w}" in prompt
    assert "say {{hi}}" in str(render_action(tasks.steps[2].forward_action.plain(), scope)["prompt"])


def test_the_same_spec_is_the_same_saga_and_another_is_another() -> None:
    first, same, other = (compile_project(spec(name=name)) for name in ("a", "a", "b"))
    assert definition_hash(first) == definition_hash(same) != definition_hash(other)
    assert definition_hash(compile_project(spec(), {"merge": "by_hand"})) != definition_hash(compile_project(spec()))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)


@examples(st.lists(TEXTS, min_size=1, max_size=5), TEXTS, st.sampled_from(["Design", "t1", "api", "after all release"]))
def test_what_a_valid_spec_says_always_compiles(requirements: list[str], description: str, gate: str) -> None:
    made, _ = either(given(requirements=requirements, description=description, approval_gates=[gate]))
    if made is None:
        return
    plan = plan_of(made)
    for definition in (compile_project(made), compile_tasks(plan)):
        validate_definition(definition.model_dump(mode="json", exclude_unset=True))
    merges = {step.step_id for step in compile_tasks(plan).steps if step.step_id.endswith("-merge")}
    assert merges == {f"{one.task_id}-merge" for one in plan.tasks}


@examples(st.integers(1, 8), st.data())
def test_no_task_begins_before_what_it_depends_on_is_merged(count: int, data: st.DataObject) -> None:
    names = [f"n{number}" for number in range(count)]
    tasks = [
        task(name, "R1", "R2", dependencies=data.draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else [])
        for at, name in enumerate(names)
    ]
    plan = compile_plan(compile_tasks(validate_plan({"tasks": tasks}, spec())))
    for one in tasks:
        assert set(plan.steps[one["task_id"]].dependencies) == {f"{name}-merge" for name in one["dependencies"]}
        assert plan.steps[f"{one['task_id']}-merge"].dependencies == (one["task_id"],)


def test_a_deployment_is_of_the_run_unless_it_is_named() -> None:
    """Two projects with one project_id have users of their own."""

    def deploys(handle: str = "", **deployment: object) -> object:
        config = {"deployment_strategy": "blue_green", "deployment": deployment}
        child: Any = action(compile_project(spec(project_id="shop"), config, handle=handle), "deploy")
        return child["definition"]["saga_id"]

    assert (deploys(), deploys("shop-2")) == ("deployment.shop", "deployment.shop-2")
    assert deploys("shop-2", name="shop") == "deployment.shop"
    with pytest.raises(DefinitionErrors, match=r"give config\.deployment\.name"):
        deploys("shop:2")
    assert deploys("shop:2", name="shop") == "deployment.shop"
