"""Projects from spec to report, on every engine."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from approvals.core.content import content_hash
from approvals.models import Request
from foundation.audit import signing_key
from foundation.errors import BadInput
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.core.enums import Verb
from orchestration.core.project import ProjectConfig, ProjectSpec
from orchestration.core.project.sagas.acceptance import answer_name
from orchestration.models import AgentAttempt, Run
from orchestration.projects.phases.project import Project, output_of
from orchestration.projects.phases.report import _pushed, signed_bytes
from orchestration.projects.queries import project_view
from orchestration.projects.start import start_project
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.orchestration.core.project.specs import given
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.projects.worker import Worker


def begun(engine: str, config: dict[str, Any] | None = None, *, handle: str = "", **more: Any) -> Run:
    """Under a handle of its own: a Temporal server knows those of the tests before."""
    handle = handle or f"shop-{uuid.uuid4().hex[:8]}"
    return start_project(spec=given(**more), config=config, actor=ADA, workflow_id=handle, engine=engine)[0]


def asked(run: Run, stage: str) -> Request:
    def is_there(now: Run) -> bool:
        return now.finished_at is not None or Request.objects.filter(stage=stage, status="pending").exists()

    until(run, is_there)
    assert not Run.objects.get(pk=run.pk).finished_at, run_view(Run.objects.get(pk=run.pk))["error"]
    return Request.objects.get(stage=stage, status="pending")


def in_round(request: Request, number: int) -> Callable[[Run], bool]:
    return lambda _: Request.objects.filter(pk=request.pk, status="pending", round=number).exists()


def sessions() -> list[tuple[str, str, str]]:
    """Task, type and verdict of each session of an agent, in order."""
    return list(AgentAttempt.objects.order_by("id").values_list("step_id", "agent_type", "verdict"))


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def answered(request: Request) -> dict[str, str]:
    """Its form, every criterion accepted."""
    asked_for = request.content["context"].get("criteria", ()) if request.stage == "unproved-criteria" else ()
    return {answer_name(one["id"]): "accepted" for one in asked_for}


def test_a_project_goes_from_its_spec_to_a_signed_report(engine: str, repository: Path) -> None:
    run = until(
        begun(
            engine, repository=str(repository), requirements=["A cart", "A till, after R1"], checks=["make test"],
            success_criteria=["All tests pass", {"text": "There is a cart", "check": "test -f t1.md"}],
        )
    )  # fmt: skip
    view = run_view(run)
    assert (view["status"], view["kind"], view["warnings"]) == ("completed", "multi_agent_project", []), view["error"]
    assert sessions() == [("t1", "CLAUDE", "done"), ("t2", "CLAUDE", "done")]
    assert set(git(repository, "ls-tree", "-r", "--name-only", "zen/shop").split()) >= {"t1.md", "t2.md", "Makefile"}
    assert git(repository, "rev-parse", "main") != git(repository, "rev-parse", "zen/shop"), "main is the user's own"
    said = output_of(run, "verify")
    assert [(one["id"], one["status"], one["check"]) for one in said["criteria"]] == [
        ("C1", "proved", "make test"), ("C2", "proved", "test -f t1.md")
    ]  # fmt: skip
    report = output_of(run, "report")
    assert signing_key.verify(signed_bytes(report["hash"]), report["signature"]) and report["janitor"]["clean"]
    assert [one["task"] for one in report["pack"]["merges"]] == ["t2", "t1"]
    assert not any(folder.exists() for folder in Layout.of(run.workflow_id).temporary)


def test_the_verified_commit_is_what_is_pushed_and_never_into_another_project(
    repository: Path,
) -> None:
    """Its branches would stand in the way of those of the other project, whose janitor takes them away."""
    other = Repository.create(Layout.of("other"), str(repository))
    for named, pushed in ((str(other.layout.repository), ""), (str(repository), "zen/shop")):
        run = Run(workflow_id=f"shop-{pushed or 'x'}".replace("/", "-"))
        own = Repository.create(Layout.of(run.workflow_id), named)
        verified = own.base()
        late = own.git.out("commit-tree", f"{verified}^{{tree}}", "-p", verified, stdin=b"late\n")
        own.git.run("update-ref", f"refs/heads/{INTEGRATION}", late)
        project = Verified(
            run=run, step_run=run, spec=ProjectSpec.model_validate(given(repository=named)), config=ProjectConfig()
        )
        project.commits.append(verified)
        assert _pushed(project) == pushed
    assert other.branches() == [] and git(repository, "rev-parse", "zen/shop") == verified != late


class Verified(Project):
    """A project whose phase `verify` looked at a commit."""

    commits: ClassVar[list[str]] = []

    def output(self, step_id: str) -> dict[str, Any]:
        return {"commit": self.commits[-1]} if step_id == "verify" else {}


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


def test_two_projects_of_one_name_do_not_take_each_others_branch(engine: str, repository: Path) -> None:
    first = until(begun(engine, repository=str(repository)))
    kept = git(repository, "rev-parse", "zen/shop")
    assert output_of(first, "report")["branch"] == "zen/shop" and project_view(first)["warnings"] == []
    second = until(begun(engine, repository=str(repository), requirements=["Another thing"]))
    branch = output_of(second, "report")["branch"]
    head = output_of(second, "verify")["commit"]
    assert second.status == "completed" and git(repository, "rev-parse", "zen/shop") == kept
    assert branch == f"zen/shop-{head[:12]}" and git(repository, "rev-parse", branch) == head
    assert "has other work as branch 'zen/shop'" in project_view(second)["warnings"][-1]


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


def test_changes_at_the_gate_of_the_plan_make_another_plan_which_the_same_request_shows(
    engine: str,
) -> None:
    run = begun(engine, approval_gates=["Architecture Review"])
    request = asked(run, "Architecture Review")
    before = request.content["context"]["plan_hash"]
    says("bob", "request-changes", request, "use a queue between them")
    until(run, lambda _: Request.objects.filter(pk=request.pk, status="pending", round=2).exists())
    request = asked(run, "Architecture Review")
    assert request.content["context"]["plan_hash"] != before and not sessions()
    assert "use a queue between them" in output_of(run, "plan")["plan"]["brief"]
    says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]


def test_what_nothing_proves_is_asked_once_and_accepted_by_a_person(engine: str) -> None:
    run = begun(engine, success_criteria=["It is fun", {"text": "It is there", "check": "test -f t1.md"}])
    request = asked(run, "unproved-criteria")
    said = request.content["description"]
    assert "C1" in said and "It is fun" in said and "C2" not in said
    with pytest.raises(BadInput, match="has to be answered"):
        says("bob", "approve", request)
    says("bob", "approve", request, answers={"c1": "accepted"})
    assert until(run).status == "completed"
    accepted = output_of(run.children.get(parent_step="accept"), "accept")["accepted"]
    assert [(one["id"], one["status"], one["evidence"]["by"]) for one in accepted] == [("C1", "accepted", ["bob"])]


def test_one_red_criterion_never_completes_by_itself_and_a_no_takes_everything_back(
    engine: str, repository: Path
) -> None:
    red = {"text": "It flies", "check": "test -f wings"}
    run = begun(engine, repository=str(repository), success_criteria=[red])
    request = asked(run, "unproved-criteria")
    said = request.content["description"]
    assert "It flies" in said and "it ended with 1" in said
    says("bob", "reject", request, "it does not fly")
    view = run_view(until(run))
    assert view["status"] == "rolled_back" and "it does not fly" in view["error"]
    kept = Repository(layout=Layout.of(run.workflow_id))
    assert git(kept.layout.repository, "rev-parse", "main^{tree}") == git(repository, "rev-parse", "main^{tree}")
    assert kept.branches() == [] and git(repository, "branch", "--list", "zen/*") == ""


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


def test_a_task_that_stays_red_is_tried_as_often_as_said_and_then_people_are_asked(engine: str) -> None:
    run = begun(engine, {"max_attempts": 2}, checks=["test ! -f t2.md"])
    request = asked(run, "task-failed")
    assert sessions().count(("t2", "CLAUDE", "lied")) == 2
    view = project_view(Run.objects.get(pk=run.pk))
    assert [one["status"] for one in view["tasks"]] == ["merged", "waiting"] and view["phase"] == "build"
    assert [(one["status"], one["request_id"]) for one in view["gates"]] == [("waiting", str(request))]
    assert [one["status"] for one in view["requirements"]] == ["served", "working"]
    says("bob", "approve", request, answers={"answer": "end"})
    assert until(run).status == "rolled_back" and Run.objects.get(pk=run.pk).cause == "rejected", "people ended it"
    assert f"child run '{run.workflow_id}.build.1'" in run_view(run)["error"]
    assert [one["status"] for one in project_view(run)["tasks"]] == ["reverted", "failed"]


def test_an_abort_leaves_no_branch_and_no_worktree(engine: str) -> None:
    run = begun(engine, approval_gates=["Release"])
    asked(run, "Release")
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back"
    layout = Layout.of(run.workflow_id)
    assert Repository(layout=layout).branches() == [] and not any(folder.exists() for folder in layout.temporary)
    assert output_of(run, "prepare")["repository"] == str(layout.repository) and layout.repository.is_dir()


def test_a_rerun_of_the_plan_has_nothing_done_again_that_is_merged(engine: str) -> None:
    run = begun(engine, approval_gates=["Release"])
    says("bob", "approve", asked(run, "Release"))
    before = output_of(until(run), "verify")["commit"]
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, actor=ADA, step_id="plan")
    until(run, lambda now: now.finished_at is None)
    says("bob", "approve", asked(run, "Release"))
    assert until(run).status == "completed" and len(sessions()) == 2, "no agent is asked for what is there"
    assert output_of(run, "verify")["commit"] == before and output_of(run, "plan")["merged"] == ["t1", "t2"]
    assert run.children.get(workflow_id=f"{run.workflow_id}.build.2").status == "completed"
    assert [(one["status"], one["verdict"]) for one in project_view(run)["tasks"]] == [("merged", "done")] * 2


def test_an_agents_plan_is_built(engine: str, worker: Worker) -> None:
    tasks = [{"task_id": "all", "prompt": "do", "requirements": ["R1", "R2"]}]
    worker.says["proposal"] = f"So be it:\n```json\n{json.dumps({'tasks': tasks})}\n```\n"
    view = run_view(until(begun(engine, planner="agent")))
    assert view["status"] == "completed" and [name for name, _ in worker.seen] == ["proposal", "all"], view["error"]


FAULTY = json.dumps({"tasks": [{"task_id": "a", "prompt": "do", "requirements": ["R1", "R9"]}]})


def test_an_agents_plan_with_faults_is_asked_for_anew_with_all_of_them_and_then_the_rules_plan(
    engine: str, worker: Worker
) -> None:
    worker.says["proposal"] = FAULTY
    run = until(begun(engine, planner="agent"))
    view = project_view(run)
    assert view["status"] == "completed", view["error"]
    assert [name for name, _ in worker.seen[:3]] == ["proposal"] * 3 and len(worker.seen) == 5
    assert [one["task_id"] for one in view["tasks"]] == ["t1", "t2"]
    assert "refused 3 times, so the rules made the plan" in view["warnings"][-1]
    again = Run.objects.filter(parent=run, parent_step="plan").first()
    assert again is not None
    prompt = again.definition.body["steps"][0]["forward_action"]["prompt"]
    assert "is no requirement" in prompt and "is served by no task (R2)" in prompt
    made = output_of(run, "plan")
    assert made["planner"] == "rules" and len(made["refused"]) == 3


def test_an_agent_that_mends_its_plan_has_it_built(engine: str, worker: Worker) -> None:
    good = json.dumps({"tasks": [{"task_id": "all", "prompt": "do", "requirements": ["R1", "R2"]}]})
    worker.says["proposal"] = [FAULTY, good]
    run = until(begun(engine, planner="agent"))
    view = project_view(run)
    assert view["status"] == "completed" and [one["task_id"] for one in view["tasks"]] == ["all"], view["error"]
    assert output_of(run, "plan")["planner"] == "agent" and view["warnings"] == []


def test_it_says_what_it_waits_for(engine: str) -> None:
    run = begun(engine, approval_gates=["Release"])
    request = asked(run, "Release")
    until(run, lambda now: now.status == "waiting")
    assert f"approval '{request}'" in " ".join(why(Run.objects.get(pk=run.pk)))


def test_a_used_handle_with_the_same_spec_is_the_same_run(engine: str) -> None:
    run = begun(engine)
    assert start_project(spec=given(), actor=ADA, workflow_id=run.workflow_id, engine=engine) == (run, False)
    with pytest.raises(BadInput, match="in use by a run with another"):
        begun(engine, handle=run.workflow_id, name="Another")


def test_steps_of_other_runs_cannot_use_the_handlers_of_projects(engine: str) -> None:
    steal = {"step_id": "x", "forward_action": {"type": "task", "handler": "zen.project.clear"}}
    context = {"project": {"spec": given(), "config": {}}}
    forged = {"saga_id": "s", "steps": [steal], "context": context}
    with pytest.raises(BadInput, match="handler of Zen's own"):
        start_run(definition=forged, actor=ADA, engine=engine)
    run, _ = start_run(definition=forged, actor=ADA, engine=engine, compiled=True)
    assert "the run belongs to none" in run_view(until(run))["error"]
