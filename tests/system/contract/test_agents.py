"""A step that an agent does: the same on every engine. The agent is a program, and is judged as any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.agents.endpoints import services
from orchestration.agents.endpoints.given import Given
from orchestration.agents.workspace.layout import Layout, remove
from orchestration.agents.workspace.owned import processes
from orchestration.agents.workspace.repository import Repository
from orchestration.attempt_log.buffer import BUFFER
from orchestration.core.enums import Verb
from orchestration.models import AgentAttempt, AgentEndpoint, AgentLease, Run, RunLine
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    for name in Run.objects.values_list("workflow_id", flat=True):
        remove(Layout.of(name).folder)


def endpoint(name: str = "one", *args: str, agent_type: str = "CLAUDE", **fields: Any) -> AgentEndpoint:
    given = Given(name=name, agent_type=agent_type, driver="scripted", args=args, **fields)
    return services.add(given, actor=ADA)


def asking(prompt: str, **more: Any) -> dict[str, Any]:
    """In the queue that the suite's workers serve."""
    step: dict[str, Any] = {
        key: more.pop(key) for key in ("retry_count", "compensation_action", "timeout_seconds") if key in more
    }
    action = {"type": "agent", "agent": "CLAUDE", "prompt": prompt, **more}
    return {"step_id": "a", "queue": "default", "backoff_seconds": 0.05, "forward_action": action, **step}


def start(engine: str, *steps: dict[str, Any], **more: Any) -> Run:
    return start_run(definition={"saga_id": "s", "steps": list(steps), **more}, actor=ADA, engine=engine)[0]


def output(run: Run) -> Any:
    return next(one for one in run_view(run)["steps"] if one["step_id"] == "a")["output"]


def test_what_it_did_is_our_commit_judged_by_our_checks_and_told_line_by_line(engine: str) -> None:
    endpoint(concurrency=2, prices={"input": "3", "output": "15"})
    step = asking("Write {what}", checks=["grep -rq 'a parser' ."], requirements=["R1"])
    run = until(start(engine, step, context={"what": "a parser"}))
    assert run.status == "completed", run_view(run)["error"]
    made = output(run)
    assert (made["verdict"], made["endpoint"], made["branch"]) == ("done", "one", f"zen/{run.workflow_id}/a")
    assert made["checks"][0]["passed"] and made["diff"]["files_changed"] == 1 and float(made["cost"]) > 0
    git = Repository(layout=Layout.of(run.workflow_id)).git
    message = git.out("log", "-1", "--format=%B", made["commit"])
    assert f"Zen-Run: {run.workflow_id}" in message and "Zen-Task: a" in message and "Zen-Requirement: R1" in message
    assert git.out("rev-parse", f"refs/heads/{made['branch']}") == made["commit"]
    row = AgentAttempt.objects.get()
    assert (row.verdict, row.ended, row.commit) == ("done", "end_turn", made["commit"]) and row.ended_at
    assert row.transcript and row.input_tokens > 0 and not AgentLease.objects.exists()
    BUFFER.flush()
    told = list(RunLine.objects.filter(run=run, logger="agent").order_by("n").values_list("text", flat=True))
    assert any(line.startswith("session ") for line in told) and told[-1] == "verdict: done"
    assert not list(Layout.of(run.workflow_id).worktrees.iterdir())


def test_one_that_lies_is_tried_again_with_the_evidence_and_never_twice(engine: str) -> None:
    endpoint("one", "--behaviour", "lies")
    endpoint("two", "--behaviour", "lies")
    run = until(start(engine, asking("Write the word carrot", checks=["grep -rq carrot ."], retry_count=5)))
    assert run.status == "rolled_back"
    rows = list(AgentAttempt.objects.order_by("id"))
    assert [row.verdict for row in rows] == ["lied", "lied"] and {row.endpoint_name for row in rows} == {"one", "two"}
    assert any("grep -rq carrot" in fact for fact in rows[0].facts)
    error = run_view(run)["error"]
    assert "came to the verdict lied: the check `grep -rq carrot .` did not pass" in error
    assert not AgentLease.objects.exists()


def test_the_second_attempt_does_what_the_first_did_not(engine: str) -> None:
    endpoint("one", "--behaviour", "empty,write")
    run = until(start(engine, asking("Write a parser", retry_count=1)))
    assert run.status == "completed"
    assert [row.verdict for row in AgentAttempt.objects.order_by("id")] == ["empty", "done"]


def test_one_at_its_limit_is_left_for_another_at_once(engine: str) -> None:
    """The scripted limit is reset after 90 seconds."""
    endpoint("one", "--behaviour", "rate_limited")
    endpoint("two", "--behaviour", "write")
    run = until(start(engine, asking("Write a parser", retry_count=1)))
    assert run.status == "completed", run_view(run)["error"]
    first, second = AgentAttempt.objects.order_by("id")
    assert (first.verdict, second.verdict, second.endpoint_name) == ("rate_limited", "done", "two")
    assert first.ended_at is not None and (second.started_at - first.ended_at).total_seconds() < 60


@pytest.mark.parametrize(("verb", "status"), [(Verb.ABORT, "rolled_back"), (Verb.FORCE_STOP, "force_stopped")])
def test_a_run_that_is_left_ends_the_agent_and_gives_its_endpoint_back(engine: str, verb: Verb, status: str) -> None:
    endpoint("one", "--behaviour", "hangs")
    run = start(engine, asking("Write a parser"))
    wait_until(lambda: AgentAttempt.objects.exclude(session_id="").exists(), "the session begins")
    act(workflow_id=run.workflow_id, verb=verb, actor=ADA)
    until(run)
    assert run.status == status
    wait_until(lambda: not AgentLease.objects.exists(), "the endpoint is given back")
    row = AgentAttempt.objects.get()
    assert (row.ended, row.verdict) == ("cancelled", "crashed")
    assert processes(Layout.of(run.workflow_id)) == []


def test_a_task_with_a_type_of_agent_and_no_handler_is_done_by_an_agent(engine: str) -> None:
    step = {
        "step_id": "a", "name": "Migrate", "queue": "default", "agent_type": "claude",
        "forward_action": {"type": "task", "description": "Run the migrations", "database": "production"},
    }  # fmt: skip
    run = until(start(engine, step))
    assert run.status == "rolled_back"
    error = run_view(run)["error"]
    assert "the task names no handler, and there is no endpoint of type CLAUDE; add one: " in error
    endpoint("one")
    run = until(start(engine, step))
    assert run.status == "completed" and output(run)["verdict"] == "done"
    asked = Repository(layout=Layout.of(run.workflow_id)).git.out("show", output(run)["commit"])
    assert "Run the migrations" in asked and "production" in asked


def test_while_none_is_free_the_step_waits_costs_no_retry_and_says_for_what(engine: str) -> None:
    row = endpoint("one")
    AgentEndpoint.objects.update(out_since=row.created_at, health="out_of_service", health_error="Not logged in")
    run = start(engine, asking("Write a parser"))
    said = "no endpoint of type CLAUDE is free: one is out of service: Not logged in"

    def told() -> list[str]:
        return why(Run.objects.get(pk=run.pk))

    wait_until(lambda: any(said in line for line in told()), lambda: f"{said} in {told()}")
    AgentEndpoint.objects.update(out_since=None, health="unknown")
    assert until(run).status == "completed" and AgentAttempt.objects.count() == 1
