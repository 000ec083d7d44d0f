"""Agents that ask people, on every engine: the answer goes back into the session, and a failed task into hands."""

from __future__ import annotations

import pytest

from approvals.models import Request
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.core.enums import Verb
from orchestration.execution.agent_step import work
from orchestration.models import AgentAttempt, AgentLease, Run
from orchestration.runs import act
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.waiting import wait_until
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.contract.test_agents import _tidy, asking, endpoint, output, start

__all__ = ["_tidy"]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    account("bob")


@pytest.fixture
def in_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run counts as a project."""
    monkeypatch.setattr(work, "PROJECT", Run.SAGA)


def asked(run: Run, stage: str, number: int = 1) -> Request:
    """The run's request of this stage, once the step is parked for it."""
    found = Request.objects.filter(about=run.workflow_id, stage=stage).order_by("pk")

    def there() -> bool:
        run.refresh_from_db()
        assert run.finished_at is None, run_view(run)["error"]
        return found.count() >= number and run.status == "waiting"

    wait_until(there, lambda: (run.status, why(run), list(Request.objects.values_list("stage", "status"))))
    return found[number - 1]


def files(run: Run, commit: str) -> str:
    return Repository(layout=Layout.of(run.workflow_id)).git.out("show", commit)


def test_a_permission_is_given_into_the_session_that_asked(engine: str) -> None:
    endpoint("one", "--behaviour", "permission")
    endpoint("two", "--behaviour", "permission")
    run = start(engine, asking("Write a parser", retry_count=0))
    request = asked(run, "agent-permission")
    assert not AgentLease.objects.exists(), "nobody's endpoint is held while people think"
    assert "waits for bob" in " ".join(why(run)) and "Write a.md" in request.content["description"]
    says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]
    first, second = AgentAttempt.objects.order_by("id")
    assert (first.verdict, second.verdict) == ("denied", "done") and first.endpoint_name == second.endpoint_name
    assert first.session_id and first.session_id == second.session_id, "the same session goes on"
    assert "parser" in files(run, output(run)["commit"])
    assert Request.objects.count() == 1


def test_a_no_is_told_to_the_agent_which_then_has_nothing_to_show(engine: str) -> None:
    endpoint("one", "--behaviour", "permission")
    run = start(engine, asking("Write a parser", retry_count=0))
    says("bob", "reject", asked(run, "agent-permission"), "not in this repository")
    assert until(run).status == "rolled_back"
    first, second = AgentAttempt.objects.order_by("id")
    assert (first.verdict, second.verdict) == ("denied", "empty") and second.commit == ""
    assert "not allowed" in second.text


def test_an_answer_is_one_of_those_offered_and_no_second_task_asks_for_it(engine: str) -> None:
    endpoint("one", "--behaviour", "question")
    second = {**asking("Write a lexer"), "step_id": "b"}
    run = start(engine, asking("Write a parser"), second)
    request = asked(run, "agent-question")
    assert request.content["context"]["answers"] == {"answer": ["alpha", "omega"]}
    says("bob", "approve", request, answers={"answer": "omega"})
    assert until(run).status == "completed", run_view(run)["error"]
    for step in run_view(run)["steps"]:
        assert "Answer: omega" in files(run, step["output"]["commit"])
    assert Request.objects.count() == 1, "the answer is known in the whole run"


def test_a_task_that_failed_waits_for_a_person(engine: str, in_a_project: None) -> None:
    endpoint("one", "--behaviour", "empty,empty,empty,write")
    run = start(engine, asking("Write a parser", retry_count=1))
    says("bob", "approve", asked(run, "task-failed"), "once more", answers={"answer": "again"})
    request = asked(run, "task-failed", 2)
    assert AgentAttempt.objects.count() == 3, "again is one attempt more"
    assert request.content["context"]["verdict"] == "empty"
    says("bob", "approve", request, answers={"answer": "another endpoint"})
    assert until(run).status == "completed", run_view(run)["error"]
    assert [row.verdict for row in AgentAttempt.objects.order_by("id")] == ["empty", "empty", "empty", "done"]


def test_a_task_can_be_dropped_or_the_project_ended(engine: str, in_a_project: None) -> None:
    endpoint("one", "--behaviour", "empty")
    run = start(engine, asking("Write a parser", retry_count=0))
    says("bob", "approve", asked(run, "task-failed"), "not needed", answers={"answer": "drop the task"})
    assert until(run).status == "completed"
    made = output(run)
    assert (made["verdict"], made["commit"], made["why"]) == ("dropped", None, "not needed") and made["dropped_by"]
    run = start(engine, asking("Write a parser", retry_count=0))
    says("bob", "approve", asked(run, "task-failed"), answers={"answer": "end"})
    until(run)
    assert (run.status, run.cause) == ("rolled_back", "rejected")


def test_one_that_lied_twice_goes_to_a_person_whatever_attempts_are_left(engine: str, in_a_project: None) -> None:
    endpoint("one", "--behaviour", "lies")
    run = start(engine, asking("Write the word carrot", checks=["grep -rq carrot ."], retry_count=9))
    request = asked(run, "task-failed")
    assert [row.verdict for row in AgentAttempt.objects.all()] == ["lied", "lied"]
    context = request.content["context"]
    assert context["checks"][0]["command"] == "grep -rq carrot ." and not context["checks"][0]["passed"]
    assert context["evidence"] and context["commit"]
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back"


def test_a_spent_budget_is_raised_by_a_person(engine: str, in_a_project: None) -> None:
    endpoint("one", "--behaviour", "over_budget,write")
    run = start(engine, asking("Write a parser", budget=3, retry_count=0))
    request = asked(run, "over-budget")
    assert float(request.content["context"]["cost_so_far"]) >= 3
    says("bob", "approve", request, answers={"answer": "go on", "budget": 50})
    assert until(run).status == "completed", run_view(run)["error"]
    first, second = AgentAttempt.objects.order_by("id")
    assert (first.verdict, second.verdict) == ("over_budget", "done") and first.session_id == second.session_id


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_people_take_their_time(engine: str) -> None:
    """Longer than the agent may be silent, and than its attempt may take."""
    endpoint("one", "--behaviour", "question", stall_seconds=30)
    run = start(engine, asking("Write a parser", retry_count=0, timeout_seconds=60))
    request = asked(run, "agent-question")
    AgentAttempt.objects.update(started_at="2020-01-01T00:00:00Z", ended_at="2020-01-01T00:00:01Z")
    run.commands.filter(step_id="a").update(started_at="2020-01-01T00:00:00Z", due_at="2020-01-01T00:00:00Z")
    says("bob", "approve", request, answers={"answer": "alpha"})
    assert until(run).status == "completed", run_view(run)["error"]
