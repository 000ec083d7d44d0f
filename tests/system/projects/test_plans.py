"""Plans: made by an agent, refused with every fault, made anew."""

from __future__ import annotations

import json

from approvals.models import Request
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.runs import act
from orchestration.runs.queries import run_view
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.projects.scenes import asked, begun, sessions
from tests.system.projects.worker import Worker


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
    told = request.content["context"]["tasks"]
    assert told["t1"].endswith("(CLAUDE, serves R1)") and "use a queue between them" in told["all of them"]
    says("bob", "approve", request)
    assert until(run).status == "completed", run_view(run)["error"]
    assert sorted(step for step, _, _ in sessions()) == ["t1", "t2"], (
        "what the plan has is not done once more behind it"
    )
    assert output_of(run, "changes")["changes"] == []
    gate = next(one for one in run_view(run)["steps"] if one["step_id"].startswith("gate-"))
    assert gate["attempts"] == 1, "that it waited was no attempt of its own"


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
