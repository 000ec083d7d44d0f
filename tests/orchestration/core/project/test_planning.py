"""Plans: by rules, by hand, by an agent; the ledger; what proves a criterion."""

from __future__ import annotations

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestration.core.dag import circle_in
from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectSpec, planned, validate_plan, validate_spec
from orchestration.core.project.criteria import Wanted, criteria_of, wanted_by
from orchestration.core.project.requirements import RequirementStatus, TaskStatus, requirement_status, served
from tests.orchestration.core.project.specs import ECOMMERCE, either, given, spec, task


def refused(data: object, made: ProjectSpec) -> list[str]:
    with pytest.raises(DefinitionErrors) as caught:
        validate_plan(data, made)
    return [f"{one.field}: {one.message}" for one in caught.value.problems]


def test_the_rules_make_one_task_for_each_requirement_and_take_the_agents_in_turn() -> None:
    plan = planned(ProjectSpec(**ECOMMERCE))
    assert plan is not None
    assert [(one.task_id, one.requirements, one.agent_type.value) for one in plan.tasks[:4]] == [
        ("t1", ("R1",), "CLAUDE"), ("t2", ("R2",), "AIDER"), ("t3", ("R3",), "CODEX"), ("t4", ("R4",), "CLAUDE")
    ]  # fmt: skip
    assert all(one.dependencies == () for one in plan.tasks)
    assert "Node.js" in plan.brief and "50000" not in plan.brief, "what we keep is no business of the agents"


def test_the_rules_take_a_requirement_that_names_another_for_one_that_comes_after() -> None:
    made = spec(requirements=["A shop", "Docs for a shop", "Deploy what R2 and t1 made", "Workshop notes"])
    plan = planned(made)
    assert plan is not None
    assert [one.dependencies for one in plan.tasks] == [(), ("t1",), ("t1", "t2"), ()]


def test_requirements_that_name_each_other_are_refused_with_what_to_do() -> None:
    with pytest.raises(DefinitionErrors) as caught:
        validate_spec(given(requirements=["first, after R2", "second, after R1"]))
    (one,) = caught.value.problems
    assert one.field == "requirements" and "t1 → t2 → t1" in one.message and "`tasks`" in one.remedy


def test_a_plan_may_name_requirements_by_id_in_any_case_or_by_their_text() -> None:
    plan = validate_plan({"tasks": [task("a", "r1", "A TILL")]}, spec())
    assert plan.tasks[0].requirements == ("R1", "R2") and plan.coverage() == {"R1": ["a"], "R2": ["a"]}


def test_a_plan_with_faults_names_all_of_them() -> None:
    wrong = {"tasks": [task("a", "R1", dependencies=["b"]), task("b", "R9", dependencies=["a"], agent_type="AIDER")]}
    assert refused(wrong, spec()) == [
        "tasks[1].agent_type: is not among agents_required",
        "tasks[1].requirements: is no requirement",
        "requirements[1]: is served by no task (R2)",
        "tasks: the tasks wait for each other: a → b → a",
    ]  # fmt: skip
    assert refused({"tasks": []}, spec()) and refused([], spec()) and refused({"taks": []}, spec())
    assert refused({"tasks": [task("a", "R1", agent_type="ROBOT")]}, spec()) == [
        "tasks[0].agent_type: is not a type of agent"
    ]


def test_another_plan_has_another_hash() -> None:
    first, same, other = (
        validate_plan({"tasks": [task("a", "R1", "R2", prompt=text)]}, spec()) for text in ("x", "x", "y")
    )
    assert first.plan_hash == same.plan_hash != other.plan_hash


def test_checks_of_the_project_judge_every_task() -> None:
    plan = validate_plan({"tasks": [task("a", "R1", "R2", checks=["make a", "make all"])]}, spec(checks=["make all"]))
    assert plan.tasks[0].checks == ("make all", "make a")


@examples(
    st.lists(st.sampled_from(["cart", "till", "R1", "R2", "t3", "after", "the", "shop"]), max_size=4), st.integers(1, 5)
)
def test_what_the_rules_plan_serves_every_requirement_in_an_order_without_circles(words: list[str], count: int) -> None:
    texts = [f"requirement {number} {' '.join(words[: number % 3])}" for number in range(count)]
    made, wrong = either(given(requirements=texts, agents_required=["CLAUDE", "AIDER"]))
    assert all(one.field == "requirements" and "wait for each other" in one.message for one in wrong)
    if made is None:
        return
    plan = planned(made)
    assert plan is not None and all(plan.coverage().values())
    assert circle_in({one.task_id: one.dependencies for one in plan.tasks}) == ()
    assert {one.agent_type for one in plan.tasks} <= set(made.agents_required)


@pytest.mark.parametrize(
    ("tasks", "status"),
    [
        ([], "open"), (["pending"], "planned"), (["pending", "working"], "working"), (["merged", "pending"], "working"),
        (["merged", "merged"], "served"), (["merged", "failed"], "unserved"), (["reverted"], "unserved"),
    ],
)  # fmt: skip
def test_a_requirement_is_as_far_as_its_tasks(tasks: list[str], status: str) -> None:
    assert requirement_status([TaskStatus(one) for one in tasks]) is RequirementStatus(status)


def test_only_what_is_merged_whole_is_served() -> None:
    statuses = {"a": TaskStatus.MERGED, "b": TaskStatus.WORKING}
    assert served({"R1": ["a"], "R2": ["a", "b"], "R3": []}, statuses) == ["R1"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Test coverage >= 85%", Wanted(passing=True, coverage=85)),
        ("Tests passing with >80% coverage", Wanted(passing=True, coverage=80, is_strict=True)),
        ("coverage of at least 90 %", Wanted(passing=True, coverage=90)),
        ("92.5% test coverage", Wanted(passing=True, coverage=92.5)),
        ("All tests pass", Wanted(passing=True)), ("unit tests are green", Wanted(passing=True)),
        ("All user stories implemented and tested", None), ("API response time < 200ms for 95% of requests", None),
        ("Load testing passed (1000 concurrent users)", None), ("Security audit passed", None),
        ("All features functional", None), ("coverage of 300%", None), ("Latest contests pass", None),
    ],
)  # fmt: skip
def test_what_a_sentence_asks_of_the_tests(text: str, wanted: Wanted | None) -> None:
    assert wanted_by(text) == wanted


def test_a_criterion_with_a_check_of_its_own_asks_for_no_other() -> None:
    first = {"text": "All tests pass", "check": "make it"}
    call = {"text": "It answers", "check": {"api_call": {"url": "https://x.example"}}}
    own, passing, answers = criteria_of(spec(success_criteria=[first, "All tests pass", call]))
    assert (own.criterion_id, own.command, own.wanted) == ("C1", "make it", None)
    assert passing.command == "" and passing.wanted == Wanted(passing=True)
    assert answers.api_call == {"url": "https://x.example"} and answers.wanted is None
