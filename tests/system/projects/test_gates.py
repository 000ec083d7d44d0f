"""Gates of a project are bound to what they are about, and changes are reworked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from approvals.core.content import content_hash
from approvals.models import Request
from foundation.errors import BadInput
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.models import AgentAttempt, Run
from orchestration.projects.phases import verify
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.runs.queries import run_view
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.scenes import asked, begun, in_round, sessions
from tests.system.projects.worker import Worker


def test_what_is_not_accepted_is_reworked_verified_and_asked_about_anew(engine: str) -> None:
    run = begun(engine, success_criteria=["It is fun", "It is good"])
    first = asked(run, "unproved-criteria")
    says("bob", "approve", first, "more of it", answers={"c1": "accepted", "c2": "not accepted"})
    second = asked(run, "unproved-criteria")
    assert second.pk != first.pk and second.content["context"]["commit"] != first.content["context"]["commit"]
    assert sessions()[-1][0] == "rework-1"
    prompt = AgentAttempt.objects.order_by("id").last().run.definition.body["steps"][0]["forward_action"]["prompt"]  # type: ignore[union-attr]
    assert "C2 is not accepted: It is good" in prompt and "more of it" in prompt
    says("bob", "approve", second, answers={"c1": "accepted", "c2": "accepted"})
    assert until(run).status == "completed", run_view(run)["error"]
    view = project_view(run)
    assert [(one["task_id"], one["status"]) for one in view["tasks"]] == [
        ("t1", "merged"), ("t2", "merged"), ("rework-1", "merged")
    ]  # fmt: skip


def test_changes_at_what_nothing_proves_send_it_back_as_well(engine: str) -> None:
    run = begun(engine, success_criteria=["It is fun", "It is good"])
    first = asked(run, "unproved-criteria")
    says("bob", "request-changes", first, "more of it")
    until(run, lambda _: Request.objects.filter(stage="unproved-criteria").count() == 2)
    second = asked(run, "unproved-criteria")
    assert second.pk != first.pk and second.content["context"]["commit"] != first.content["context"]["commit"]
    until(run, lambda _: not Request.objects.filter(pk=first.pk, status__in=("pending", "changes_requested")).exists())
    assert "more of it" in output_of(run, "changes")["tasks"][0]["prompt"] and sessions()[-1][0] == "rework-1"
    says("bob", "approve", second, answers={"c1": "accepted", "c2": "accepted"})
    assert until(run).status == "completed", run_view(run)["error"]
    earlier = run.children.filter(parent_step="accept").order_by("pk").first()
    assert earlier is not None and earlier.status == "rolled_back", "nobody waits for it"


def test_a_gate_of_all_tasks_has_the_merged_head_reworked(engine: str, repository: Path) -> None:
    run = begun(engine, repository=str(repository), approval_gates=["Database"])
    request = asked(run, "Database")
    about = request.content["context"]
    assert about["commit"] == Repository(layout=Layout.of(run.workflow_id)).head() and about["tests_changed"] == []
    says("bob", "request-changes", request, "another one")
    until(run, in_round(request, 2))
    request = asked(run, "Database")
    assert request.content["context"]["commit"] != about["commit"] and sessions()[-1][0] == "rework-1"
    says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]


def test_a_gate_that_no_task_of_an_agents_plan_is_named_by_has_the_merged_head_reworked(
    engine: str, worker: Worker
) -> None:
    tasks = [{"task_id": "all", "prompt": "do", "requirements": ["R1", "R2"]}]
    worker.says["proposal"] = json.dumps({"tasks": tasks})
    run = begun(engine, planner="agent", approval_gates=["Database"], constraints={"style": "{none}"})
    first = asked(run, "Database")
    about = first.content["context"]
    assert about["commit"] == Repository(layout=Layout.of(run.workflow_id)).head() and worker.seen[-1][0] == "all"
    assert about["plan_hash"] == output_of(run, "plan")["plan_hash"] and about["constraints"] == ["style: {none}"]
    (gate,) = project_view(Run.objects.get(pk=run.pk))["gates"]
    assert (gate["name"], gate["status"], gate["request_id"]) == ("Database", "waiting", first.request_id)
    says("bob", "request-changes", first, "another one")
    until(run, lambda _: Request.objects.filter(stage="Database").count() == 2)
    second = asked(run, "Database")
    assert second.pk != first.pk and second.content["context"]["commit"] != about["commit"]
    assert worker.seen[-1][0] == "rework-1" and "another one" in output_of(run, "changes")["tasks"][0]["prompt"]
    says("bob", "approve", second)
    run = until(run)
    assert run.status == "completed", run_view(run)["error"]
    assert [(one["task_id"], one["status"]) for one in project_view(run)["tasks"]] == [
        ("all", "merged"), ("rework-1", "merged")
    ]  # fmt: skip
    gates = [(one["name"], one["status"], one["request_id"]) for one in project_view(run)["gates"]]
    assert gates == [("Database", "approved", second.request_id), ("Database", "decided", first.request_id)]


def test_a_no_at_such_a_gate_has_all_taken_back(engine: str, worker: Worker) -> None:
    worker.says["proposal"] = json.dumps({"tasks": [{"task_id": "all", "prompt": "do", "requirements": ["R1", "R2"]}]})
    run = begun(engine, planner="agent", approval_gates=["Database"])
    says("bob", "reject", asked(run, "Database"), "never mind")
    assert until(run).status == "rolled_back"
    assert Repository(layout=Layout.of(run.workflow_id)).branches() == []


def test_what_changes_tests_is_shown_apart_at_every_gate(engine: str, repository: Path, worker: Worker) -> None:
    def adds_a_test(folder: Path, name: str) -> None:
        (folder / "tests" / "test_cart.py").write_text("import unittest\n")
        (folder / f"{name}.txt").write_text(name)

    worker.acts["t1"] = adds_a_test
    run = begun(engine, repository=str(repository), approval_gates=["Database", "Security", "Release"])
    for stage in ("Database", "Security", "Release"):
        request = asked(run, stage)
        assert request.content["context"]["tests_changed"] == ["A tests/test_cart.py (+1 -0)"], stage
        says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]


def test_changes_at_a_gate_behind_the_build_are_a_task_and_the_same_request_shows_them(engine: str) -> None:
    run = begun(engine, approval_gates=["Release"])
    request = asked(run, "Release")
    for number in (1, 2):
        before = request.content["context"]["commit"]
        says("bob", "request-changes", request, f"more of it, for the {number}. time")
        until(run, in_round(request, number + 1))
        request = asked(run, "Release")
        assert request.content["context"]["commit"] != before
    assert [name for name, _, _ in sessions()][-2:] == ["rework-1", "rework-2"]
    assert "for the 2. time" in output_of(run, "changes")["tasks"][1]["prompt"]
    says("bob", "reject", request, "never mind")
    assert until(run).status == "rolled_back"
    kept = Repository(layout=Layout.of(run.workflow_id))
    assert kept.git.out("ls-tree", "--name-only", "main") == "" and kept.branches() == [], "all rounds are taken back"


def test_a_gate_is_bound_to_what_it_is_about(engine: str) -> None:
    run = begun(engine, approval_gates=["Release", {"name": "First", "before": "t1"}])
    first = asked(run, "First")
    assert first.content["context"]["task"] == "t1" and len(first.content["context"]["commit"]) == 40
    says("bob", "approve", first)
    release = asked(run, "Release").content["context"]
    assert release["commit"] == output_of(run, "verify")["commit"]
    assert release["evidence"] == output_of(run, "verify")["evidence_digest"]
    assert release["cost_so_far"] == output_of(run, "verify")["cost_so_far"]
    bound = Request.objects.get(stage="Release")
    for key, other in (
        ("commit", "0" * 40),
        ("plan_hash", "0" * 64),
        ("coverage", {}),
        ("evidence", "0"),
        ("cost_so_far", "9"),
    ):
        content = {**bound.content, "context": {**bound.content["context"], key: other}}
        assert content_hash(content) != bound.content_hash, f"another {key} would void a yes"
    assert release["plan_hash"] == output_of(run, "plan")["plan_hash"] and release["coverage"] == {
        "R1": ["t1"],
        "R2": ["t2"],
    }


def test_after_five_rounds_what_nothing_proves_is_approved_or_rejected(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "changes_wanted", lambda *_, **__: ("more",) * 5)
    run = begun(engine, success_criteria=["It is fun"])
    request = asked(run, "unproved-criteria")
    assert "reworked 5 times already" in request.content["description"]
    with pytest.raises(BadInput, match="reworked 5 times already"):
        says("bob", "request-changes", request, "more of it")
    with pytest.raises(BadInput, match="not accepted. does not fit"):
        says("bob", "approve", request, answers={"c1": "not accepted"})
    says("bob", "approve", request, answers={"c1": "accepted"})
    assert until(run).status == "completed", run_view(run)["error"]
