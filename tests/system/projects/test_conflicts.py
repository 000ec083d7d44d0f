"""Tasks that change the same lines: one attempt of an agent with both intents, and then a person; on every engine."""

from __future__ import annotations

from typing import Any

from approvals.models import Request
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.models import AgentAttempt, AgentEndpoint, Run
from orchestration.projects.queries import project_view
from orchestration.runs.queries import run_view
from tests.orchestration.core.project.specs import task
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.scenes import asked, begun


def writes(name: str, requirement: str) -> dict[str, Any]:
    return task(name, requirement, prompt=f"Say {name}.\n\n```write same.txt\n{name}\n```\n")


def in_conflict(engine: str, resolver: str, *more: str) -> Run:
    """A project whose second merge is in conflict, which an agent of this behaviour is asked to resolve."""
    gates = [{"name": "First", "before": "t1"}, {"name": "Second", "before": "t2"}]
    tasks = [writes("t1", "R1"), {**writes("t2", "R2"), "agent_type": "AIDER"}]
    AgentEndpoint.objects.filter(name="aider").update(args=[])  # for its own task it does as it is told
    run = begun(engine, tasks=tasks, approval_gates=[*gates, *more], agents_required=["CLAUDE", "AIDER"])
    first, second = asked(run, "First"), asked(run, "Second")
    AgentEndpoint.objects.filter(name="aider").update(args=["--behaviour", resolver])
    says("bob", "approve", first)
    build = run.children.get(parent_step="build")
    until(build, lambda now: now.commands.filter(step_id="t1-merge", outcome="succeeded").exists())
    says("bob", "approve", second)
    return run


def in_the_file(run: Run) -> str:
    return Repository(layout=Layout.of(run.workflow_id)).git.out("show", "main:same.txt")


def sessions() -> list[tuple[str, str, str]]:
    rows = AgentAttempt.objects.order_by("id").select_related("run")
    return [(row.run.parent_step, row.step_id, row.verdict) for row in rows if row.run.parent_step != "build"]


def agreed_to_again(run: Run, engine: str) -> Request:
    """The gate of the second task is asked about the commit that an agent has made since, before that is merged."""
    request = asked(run, "Second")
    about, build = request.content["context"], run.children.get(parent_step="build")
    first = (build.commands.get(step_id="t2", outcome="succeeded").output or {})["commit"]
    made = AgentAttempt.objects.filter(run__parent_step="t2-merge", verdict="done").latest("id").commit
    assert (about["instead_of"], about["commit"], about["files"]) == (first, made, ["same.txt"]) and first != made
    assert in_the_file(run) == "t1", "nothing of it is merged yet"
    says("bob", "approve", request)
    return request


def test_what_an_agent_makes_of_a_conflict_is_not_merged_against_the_gate_of_its_task(engine: str) -> None:
    run = in_conflict(engine, "write")
    says("bob", "reject", asked(run, "Second"), "this is not what we agreed to")
    assert until(run).status == "rolled_back" and "is not merged" in run_view(run)["error"]
    assert sessions() == [("t2-merge", "t2", "done")]


def test_an_agent_with_both_intents_makes_one_of_two_changes(engine: str) -> None:
    run = in_conflict(engine, "write")
    agreed_to_again(run, engine)
    assert until(run).status == "completed", run_view(run)["error"]
    assert sessions() == [("t2-merge", "t2", "done")]
    said = AgentAttempt.objects.get(run__parent_step="t2-merge").transcript
    assert said and in_the_file(run) in ("t1", "t2")
    prompt = AgentAttempt.objects.get(run__parent_step="t2-merge").run.definition.body["steps"][0]["forward_action"]
    assert "Say t1." in prompt["prompt"] and "Say t2." in prompt["prompt"], "both intents"
    view = project_view(run)
    assert [(one["task_id"], one["status"]) for one in view["tasks"]] == [("t1", "merged"), ("t2", "merged")]


def test_what_an_agent_does_not_resolve_a_person_has_tried_again(engine: str) -> None:
    run = in_conflict(engine, "empty", "Release")
    request = asked(run, "merge-conflict")
    assert request.content["context"]["files"] == ["same.txt"] and request.content["context"]["verdict"] == "lied"
    assert request.content["context"]["to_be_merged"]["task"] == "t2"
    assert [one["task"] for one in request.content["context"]["merged"]] == ["t1"]
    assert "<<<<<<<" in request.content["description"] and sessions() == [("t2-merge", "t2", "lied")]
    AgentEndpoint.objects.filter(name="aider").update(args=["--behaviour", "write"])
    says("bob", "approve", request, "take the second", answers={"answer": "again"})
    agreed_to_again(run, engine)
    release = asked(run, "Release")
    assert [verdict for _, _, verdict in sessions()] == ["lied", "done"] and Request.objects.filter(
        stage="merge-conflict"
    ).count() == 1
    assert in_the_file(run) in ("t1", "t2")
    says("bob", "reject", release, "not this one")
    assert until(run).status == "rolled_back", "the merge that was resolved is reverted as any other"
    kept = Repository(layout=Layout.of(run.workflow_id))
    assert kept.git.out("ls-tree", "--name-only", "main") == "" and kept.branches() == []


def test_the_task_is_dropped_or_the_project_ended_by_a_person(engine: str) -> None:
    run = in_conflict(engine, "empty")
    says("bob", "approve", asked(run, "merge-conflict"), answers={"answer": "drop the task"})
    assert until(run).status == "completed", run_view(run)["error"]
    assert in_the_file(run) == "t1" and project_view(run)["tasks"][1]["status"] == "dropped"
    run = in_conflict(engine, "empty")
    says("bob", "reject", asked(run, "merge-conflict"), "too far")
    assert until(run).status == "rolled_back" and "change the same lines of same.txt" in run_view(run)["error"]
