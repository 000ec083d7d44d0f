"""What a project may cost: an attempt reserves before it begins, and people decide once nothing is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from approvals.models import Request
from orchestration.models import AgentAttempt, AgentEndpoint
from orchestration.projects.queries import project_view
from orchestration.runs.queries import run_view
from tests.orchestration.core.project.specs import task
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.scenes import asked, begun

SPENDS = "scripted: over_budget\n"
"""A dollar for each step, without an end."""


def costs() -> Any:
    rows = AgentAttempt.objects.order_by("id")
    return [(row.step_id, row.reserved or Decimal(0), row.cost) for row in rows]


def behave(how: str) -> None:
    AgentEndpoint.objects.filter(name="claude").update(args=["--behaviour", how])


def test_each_task_has_its_share_and_the_whole_is_raised_once_for_all(engine: str) -> None:
    behave("over_budget")
    run = begun(engine, {"budget": 6})
    request = asked(run, "over-budget")
    assert request.content["context"]["budget"] == "6" and "spent its budget" in request.content["title"]
    until(run, lambda _: AgentAttempt.objects.exclude(ended="").count() >= 2)
    assert [one[1:] for one in costs()] == [(3, 3), (3, 3)]
    assert Request.objects.filter(stage="over-budget").count() == 1, "once for the whole project"
    behave("write")
    says("bob", "approve", request, answers={"answer": "go on", "budget": 20})
    assert until(run).status == "completed", run_view(run)["error"]
    view: Any = project_view(run)["cost"]
    assert (view["spent"], view["budget"], view["held"]) == ("6.000000", "20", "0")


def test_what_one_task_did_not_use_is_free_for_another(engine: str) -> None:
    tasks = [task("t1", "R1"), task("t2", "R2", prompt=SPENDS, dependencies=["t1"])]
    run = begun(engine, constraints={"budget": "$10"}, tasks=tasks)
    request = asked(run, "over-budget")
    spent = [(name, reserved, cost) for name, reserved, cost in costs() if name == "t2"]
    assert spent == [("t2", 5, 5), ("t2", 5, 5)], "its own share, and then what t1 had left of its own"
    says("bob", "reject", request, "enough")
    assert until(run).status == "rolled_back" and "the project's budget is spent" in run_view(run)["error"]


def test_a_task_has_a_budget_of_its_own(engine: str) -> None:
    tasks: list[Any] = [task("t1", "R1", "R2", prompt=SPENDS, budget="$2")]
    run = begun(engine, {"budget": 100}, tasks=tasks)
    request = asked(run, "over-budget")
    assert costs() == [("t1", 2, 2)] and float(request.content["context"]["cost_so_far"]) == 2
    says("bob", "approve", request, answers={"answer": "drop the task"})
    assert until(run).status == "completed", run_view(run)["error"]


def test_the_lesser_of_two_budgets_counts_and_tokens_are_priced(engine: str) -> None:
    AgentEndpoint.objects.filter(name="claude").update(prices={"input": "3", "output": "15"})
    run = until(begun(engine, {"budget": 4}, constraints={"budget": 8}))
    assert run.status == "completed", run_view(run)["error"]
    assert {reserved for _, reserved, _ in costs()} == {Decimal(2)}
    assert project_view(run)["cost"]["budget"] == "4"
