"""What a spec and a configuration say changes what happens: a test for each field, here or where the table names it.

On the memory engine: that all engines do alike is held elsewhere. The agent is a function, so that it can be seen what
it was told.
"""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from approvals.models import Request
from approvals.requests import publish_policy
from foundation.errors import NotAllowed
from monitoring.models import RunHealth
from monitoring.watch.sweep import sweep
from orchestration.actions.base import Call, Result
from orchestration.agents.workspace.history import merges
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.core.project.config import ProjectConfig
from orchestration.core.project.spec import Criterion, GateSpec, ProjectSpec, TaskSpec
from orchestration.models import Command, Run
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.projects.start import start_project
from tests.orchestration.core.project.specs import given, task
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import memory_host, until
from tests.system.contract.sagas import ADA
from tests.system.projects.scenes import asked, begun
from tests.system.projects.worker import Worker, working, writes

ROOT = Path(__file__).parents[3]
PROJECTS, DEPLOYMENTS = "tests/system/projects/test_projects.py", "tests/system/projects/test_deployments.py"
GATES, RED_ONES = "tests/system/projects/test_gates.py", "tests/system/projects/test_red.py"
PLANS = "tests/system/projects/test_plans.py"
BUDGETS, FORECASTS = "tests/system/projects/test_budgets.py", "tests/system/projects/test_forecasts.py"
RED = f"{RED_ONES}::test_one_red_criterion_never_completes_by_itself_and_a_no_takes_everything_back"
COMPILE = "tests/orchestration/core/project/test_compile.py"

TESTS: Mapping[type[BaseModel], Mapping[str, str]] = {
    ProjectSpec: {
        "project_id": "test_the_id_names_the_run_and_its_branches",
        "name": "test_what_agents_are_told",
        "description": "test_what_agents_are_told",
        "requirements": "test_each_requirement_is_a_task",
        "constraints": "test_what_agents_are_told",
        "constraints.timeline": f"{COMPILE}::test_a_timeline_is_the_deadline_and_none_is_none",
        "constraints.budget": f"{BUDGETS}::test_the_lesser_of_two_budgets_counts_and_tokens_are_priced",
        "success_criteria": RED,
        "estimated_duration_hours": "test_the_estimate_is_what_is_expected",
        "estimated_duration_hours.people": f"{FORECASTS}::test_the_rest_is_planned_again_with_the_words_of_people",
        "agents_required": "test_the_agents_work_in_turn",
        "approval_gates": f"{GATES}::test_a_gate_is_bound_to_what_it_is_about",
        "repository": f"{PROJECTS}::test_a_project_goes_from_its_spec_to_a_signed_report",
        "checks": f"{RED_ONES}::test_a_task_that_stays_red_is_tried_as_often_as_said_and_then_people_are_asked",
        "planner": f"{PLANS}::test_an_agents_plan_is_built",
        "tasks": "test_a_plan_by_hand_is_what_is_built",
    },
    Criterion: {
        "text": "test_the_words_of_a_criterion_ask_for_the_repositorys_own_tests",
        "check": "test_a_criterion_is_proved_by_its_check_and_shown_with_its_kind",
        "kind": "test_a_criterion_is_proved_by_its_check_and_shown_with_its_kind",
    },
    GateSpec: {
        "name": "test_the_name_of_a_gate_says_when",
        "before": "test_before_and_after_say_when",
        "after": "test_before_and_after_say_when",
        "policy": "test_a_policy_decides_how_a_gate_is_opened",
        "approvers": "test_only_approvers_open_a_gate",
    },
    TaskSpec: {
        "task_id": "test_a_plan_by_hand_is_what_is_built",
        "title": "test_what_the_agent_of_a_task_is_told",
        "prompt": "test_what_the_agent_of_a_task_is_told",
        "agent_type": "test_a_task_is_done_by_its_type_of_agent",
        "requirements": "test_a_merge_names_the_requirements_of_its_task",
        "dependencies": "test_a_task_begins_on_what_it_depends_on",
        "checks": "test_the_checks_of_a_task_judge_it_alone",
        "files": "test_what_the_agent_of_a_task_is_told",
        "budget": f"{BUDGETS}::test_a_task_has_a_budget_of_its_own",
    },
    ProjectConfig: {
        "approval_timeout": "test_a_gate_expires",
        "parallel_execution": "test_how_many_agents_work_at_once",
        "max_parallel_agents": "test_how_many_agents_work_at_once",
        "retry_failed_phases": "test_a_failed_task_is_tried_once_where_nothing_is_retried",
        "max_attempts": f"{RED_ONES}::test_a_task_that_stays_red_is_tried_as_often_as_said_and_then_people_are_asked",
        "automatic_testing": "test_without_automatic_testing_checks_judge_no_task",
        "deployment_strategy": f"{DEPLOYMENTS}::test_the_merged_head_is_served_and_can_be_deployed_again",
        "deployment": f"{DEPLOYMENTS}::test_a_release_that_does_not_come_up_takes_the_project_back_and_leaves_nothing",
        "monitoring_enabled": "test_a_project_that_nobody_watches_has_no_health",
        "monitoring_enabled.forecast": f"{FORECASTS}::test_without_monitoring_nobody_is_asked",
        "budget": f"{BUDGETS}::test_each_task_has_its_share_and_the_whole_is_raised_once_for_all",
        "stall_seconds": "test_how_long_an_agent_may_say_nothing",
        "merge": "test_people_merge_by_hand",
        "alert_on_failure": "test_what_a_failure_tells_and_whom",
        "notification_channels": "test_what_a_failure_tells_and_whom",
    },
}
"""For each field what proves that it has an effect: a function of this module, or FILE::function. `field.part`: what
else it does."""


@dataclass
class Seen(Worker):
    """`told`: what each task's agent was given, by the id of the task."""

    told: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def perform(self, call: Call) -> Result:
        self.told[call.step_id] = dict(call.action)
        return super().perform(call)


@pytest.fixture
def engine(transactional_db: None) -> Iterator[str]:
    with memory_host() as name:
        yield name


@pytest.fixture
def agents() -> Iterator[Seen]:
    seen = Seen()
    with working(seen):
        yield seen


def ended(engine: str, config: dict[str, Any] | None = None, **more: Any) -> Run:
    return until(begun(engine, config, **more))


def test_no_field_is_forgotten_and_every_test_is_there() -> None:
    for model, table in TESTS.items():
        assert {name for name in table if "." not in name} == set(model.model_fields), model.__name__
    assert set(ProjectSpec.INNER.values()) < set(TESTS)
    for name in {name for table in TESTS.values() for name in table.values()}:
        file, _, function = name.rpartition("::")
        text = (ROOT / file).read_text() if file else Path(__file__).read_text()
        assert function in {one.name for one in ast.parse(text).body if isinstance(one, ast.FunctionDef)}, name


def test_the_id_names_the_run_and_its_branches(engine: str, agents: Seen) -> None:
    run, _ = start_project(spec=given(project_id="corner-shop"), actor=ADA, engine=engine)
    assert until(run).workflow_id == "corner-shop"
    assert agents.told["t1"]["branch"] == "zen/corner-shop/t1"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": "Corner Shop"}, "# Project: Corner Shop"),
        ({"description": "For a street of bakers."}, "For a street of bakers."),
        (
            {"constraints": {"technology_stack": "Go", "deployment": "a van"}},
            "- technology_stack: Go\n- deployment: a van",
        ),
    ],
)
def test_what_agents_are_told(engine: str, agents: Seen, more: dict[str, Any], words: str) -> None:
    assert ended(engine, **more).status == "completed"
    assert words in agents.told["t1"]["prompt"] and words in agents.told["t2"]["prompt"]


def test_each_requirement_is_a_task(engine: str, agents: Seen) -> None:
    ended(engine, requirements=["A cart", "A till", "A door"])
    assert {name: "A door" in told["prompt"] for name, told in agents.told.items()} == {
        "t1": False, "t2": False, "t3": True,
    }  # fmt: skip


@pytest.mark.parametrize(("config", "least"), [({}, "500"), ({"budget": 20}, "20"), ({"budget": "$900"}, "500")])
def test_the_least_budget_is_the_limit(engine: str, agents: Seen, config: dict[str, Any], least: str) -> None:
    run = ended(engine, config, constraints={"budget": 500})
    assert project_view(run)["cost"]["budget"] == least
    assert project_view(ended(engine))["cost"]["budget"] is None


def test_the_estimate_is_what_is_expected(engine: str, agents: Seen) -> None:
    run = begun(engine, estimated_duration_hours=7, approval_gates=["Design"])
    asked(run, "Design")
    assert project_view(Run.objects.get(pk=run.pk))["forecast"]["expected_hours"] == 7
    other = begun(engine, project_id="other", approval_gates=["Design"])
    until(other, lambda now: now.status == "waiting")
    assert project_view(Run.objects.get(pk=other.pk))["forecast"]["expected_hours"] is None


def test_the_agents_work_in_turn(engine: str, agents: Seen) -> None:
    ended(engine, agents_required=["CODEX", "AIDER"], requirements=["A cart", "A till", "A door"])
    assert dict(agents.seen) == {"t1": "CODEX", "t2": "AIDER", "t3": "CODEX"}


def test_a_plan_by_hand_is_what_is_built(engine: str, agents: Seen) -> None:
    run = ended(engine, tasks=[task("all", "R1", "R2"), task("more", "R2")])
    assert {name for name, _ in agents.seen} == {"all", "more"}
    assert output_of(run, "plan")["coverage"] == {"R1": ["all"], "R2": ["all", "more"]}


def test_the_words_of_a_criterion_ask_for_the_repositorys_own_tests(
    engine: str, agents: Seen, repository: Path
) -> None:
    run = ended(engine, repository=str(repository), success_criteria=["All tests pass"])
    (criterion,) = output_of(run, "verify")["criteria"]
    assert (criterion["check"], criterion["status"]) == ("make test", "proved")


def test_a_criterion_is_proved_by_its_check_and_shown_with_its_kind(engine: str, agents: Seen) -> None:
    run = ended(engine, success_criteria=[{"text": "It is there", "check": "test -f t1.txt", "kind": "presence"}])
    (criterion,) = output_of(run, "report")["pack"]["criteria"]
    assert (criterion["status"], criterion["evidence"]["command"]) == ("proved", "test -f t1.txt")
    assert criterion["kind"] == "presence"


@pytest.mark.parametrize(("name", "merged"), [("Design", 0), ("Release", 2)])
def test_the_name_of_a_gate_says_when(engine: str, agents: Seen, name: str, merged: int) -> None:
    run = begun(engine, approval_gates=[name])
    asked(run, name)
    assert merged_tasks(run) == merged


@pytest.mark.parametrize(
    ("gate", "merged"),
    [({"before": "build"}, 0), ({"after": "build"}, 2), ({"before": "first"}, 0), ({"after": "first"}, 1)],
)
def test_before_and_after_say_when(engine: str, agents: Seen, gate: dict[str, Any], merged: int) -> None:
    tasks = [task("first", "R1"), task("second", "R2", dependencies=["first"])]
    run = begun(engine, tasks=tasks, approval_gates=[{"name": "Look", **gate}])
    asked(run, "Look")
    assert merged_tasks(run) == merged


def merged_tasks(run: Run) -> int:
    repository = Repository(layout=Layout.of(run.workflow_id))
    return len(list(merges(repository))) if repository.exists else 0


def test_a_policy_decides_how_a_gate_is_opened(engine: str, agents: Seen) -> None:
    account("carol")
    two = {
        "policy": "two-eyes",
        "stages": [{"name": "look", "who": {"users": ["bob", "carol"]}, "how_many": 2}],
    }
    publish_policy(data=two, actor=ADA)
    run = begun(engine, approval_gates=[{"name": "Release", "policy": "two-eyes"}])
    request = asked(run, "Release")
    assert says("bob", "approve", request).status == "pending"
    assert says("carol", "approve", request).status == "approved"
    assert until(run).status == "completed"


def test_only_approvers_open_a_gate(engine: str, agents: Seen) -> None:
    account("carol")
    run = begun(engine, approval_gates=[{"name": "Release", "approvers": ["carol"]}])
    request = asked(run, "Release")
    with pytest.raises(NotAllowed):
        says("bob", "approve", request)
    says("carol", "approve", request)
    assert until(run).status == "completed"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"title": "The cart of the shop"}, "## Task a: The cart of the shop"),
        ({"prompt": "Give it three wheels."}, "Give it three wheels."),
        ({"files": ["cart.py", "wheels.py"]}, "## Change only\n\n- cart.py\n- wheels.py"),
    ],
)
def test_what_the_agent_of_a_task_is_told(engine: str, agents: Seen, more: dict[str, Any], words: str) -> None:
    ended(engine, tasks=[task("a", "R1", **more), task("b", "R2")])
    assert words in agents.told["a"]["prompt"] and words not in agents.told["b"]["prompt"]
    assert agents.told["a"]["files"] == more.get("files", [])


def test_a_task_is_done_by_its_type_of_agent(engine: str, agents: Seen) -> None:
    tasks = [task("a", "R1", agent_type="AIDER"), task("b", "R2", agent_type="CLAUDE")]
    ended(engine, agents_required=["CLAUDE", "AIDER"], tasks=tasks)
    assert dict(agents.seen) == {"a": "AIDER", "b": "CLAUDE"}


def test_a_merge_names_the_requirements_of_its_task(engine: str, agents: Seen) -> None:
    run = ended(engine, tasks=[task("a", "R1", "R2"), task("b", "R2")])
    found = {one.task: set(one.requirements) for one in merges(Repository(layout=Layout.of(run.workflow_id)))}
    assert found == {"a": {"R1", "R2"}, "b": {"R2"}}


@pytest.mark.parametrize("dependencies", [["first"], []])
def test_a_task_begins_on_what_it_depends_on(engine: str, agents: Seen, dependencies: list[str]) -> None:
    there: list[bool] = []
    begun_second = threading.Event()

    def second(folder: Path, name: str) -> None:
        there.append((folder / "first.txt").exists())
        begun_second.set()
        writes(folder, name)

    def first(folder: Path, name: str) -> None:
        if not dependencies:
            begun_second.wait(PATIENCE_SECONDS)
        writes(folder, name)

    agents.acts |= {"first": first, "second": second}
    tasks = [task("first", "R1"), task("second", "R2", dependencies=dependencies)]
    assert ended(engine, tasks=tasks).status == "completed"
    assert there == [bool(dependencies)]


def test_the_checks_of_a_task_judge_it_alone(engine: str, agents: Seen) -> None:
    run = ended(engine, {"max_attempts": 1}, tasks=[task("a", "R1", checks=["test -f b.txt"]), task("b", "R2")])
    rows = Command.objects.filter(run__parent=run, step_id__in=["a", "b"], purpose="forward")
    assert run.status == "rolled_back"
    assert dict(rows.values_list("step_id", "outcome")) == {"a": "retryable", "b": "succeeded"}
    assert agents.told["b"]["checks"] == []


def test_a_gate_expires(engine: str, agents: Seen) -> None:
    for gate in ("Release", {"name": "Look", "before": "t1"}):
        run = ended(engine, {"approval_timeout": 0.5}, approval_gates=[gate])
        assert (run.status, run.cause) == ("rolled_back", "timed_out"), "within the build as well"


@pytest.mark.parametrize(
    ("config", "most"),
    [({"parallel_execution": False}, 1), ({"max_parallel_agents": 2}, 2), ({"max_parallel_agents": 4}, 4)],
)
def test_how_many_agents_work_at_once(engine: str, agents: Seen, config: dict[str, Any], most: int) -> None:
    """Each stays until as many are at work as may be, and a moment longer, in which one too many would come."""

    def stays(folder: Path, name: str) -> None:
        wait_until(lambda: agents.most >= most, lambda: f"{agents.most} at once")
        time.sleep(0.2)
        writes(folder, name)

    agents.acts[""] = stays
    run = ended(engine, config, requirements=[f"Thing {number}" for number in range(4)])
    assert run.status == "completed" and agents.most == most


@pytest.mark.parametrize(("config", "times"), [({"retry_failed_phases": False}, 1), ({"max_attempts": 2}, 2)])
def test_a_failed_task_is_tried_once_where_nothing_is_retried(
    engine: str, agents: Seen, config: dict[str, Any], times: int
) -> None:
    run = ended(engine, config, requirements=["A cart"], checks=["test -f never"])
    assert run.status == "rolled_back" and len(agents.seen) == times


@pytest.mark.parametrize(("testing", "status"), [(True, "rolled_back"), (False, "completed")])
def test_without_automatic_testing_checks_judge_no_task(engine: str, agents: Seen, testing: bool, status: str) -> None:
    config = {"automatic_testing": testing, "max_attempts": 1}
    assert ended(engine, config, checks=["test -f never"]).status == status


@pytest.mark.parametrize("watched", [True, False])
def test_a_project_that_nobody_watches_has_no_health(engine: str, agents: Seen, watched: bool) -> None:
    run = begun(engine, {"monitoring_enabled": watched}, approval_gates=[{"name": "Look", "after": "t1"}])
    asked(run, "Look")
    sweep(at_once=True)
    family = [run.pk, *run.children.values_list("pk", flat=True)]
    assert RunHealth.objects.filter(pk__in=family).count() == (len(family) if watched else 0)


@pytest.mark.parametrize(("config", "seconds"), [({"stall_seconds": 7}, 7), ({}, 300)])
def test_how_long_an_agent_may_say_nothing(engine: str, agents: Seen, config: dict[str, Any], seconds: float) -> None:
    """That a session is stopped after so long is held in tests/orchestration/agents/test_conformance.py."""
    ended(engine, config)
    assert {told["stall_seconds"] for told in agents.told.values()} == {seconds}


def test_people_merge_by_hand(engine: str, agents: Seen) -> None:
    run = begun(engine, {"merge": "by_hand"}, requirements=["A cart"])
    request = asked(run, "merge")
    assert merged_tasks(run) == 0
    says("bob", "approve", request)
    assert until(run).status == "completed" and merged_tasks(run) == 1
    assert ended(engine, requirements=["A cart"]).status == "completed"
    assert Request.objects.filter(stage="merge").count() == 1


def test_what_a_failure_tells_and_whom(engine: str, agents: Seen) -> None:
    """What an alert does with these two is held in tests/monitoring/alerting/test_run_config.py."""
    config = {"alert_on_failure": True, "notification_channels": ["slack://deployments"]}
    run = ended(engine, config)
    assert run.config["alert_on_failure"] is True and run.config["notification_channels"] == ["slack://deployments"]
    assert not {"alert_on_failure", "notification_channels"} & set(ended(engine).config)
