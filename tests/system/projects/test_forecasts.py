"""A project that takes more than a fifth longer than was expected: people say how it goes on."""

from __future__ import annotations

import json
from datetime import timedelta

from django.db.models import F

from approvals.models import Request
from monitoring.models import AlertMember, RunHealth
from monitoring.watch.sweep import sweep
from orchestration.execution.agent_step.forecast import asked_first
from orchestration.models import AgentAttempt, Run
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import plan_view, project_view
from orchestration.runs.queries import run_view
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.scenes import asked, begun, sessions
from tests.system.projects.worker import Worker

SOON = 1e-6
"""Hours."""


def test_the_rest_is_planned_again_with_the_words_of_people(engine: str) -> None:
    run = begun(engine, estimated_duration_hours=SOON)
    request = asked(run, "re-plan")
    assert not sessions(), "nothing begins until it is decided"
    says("bob", "approve", request, "smaller steps", answers={"answer": "plan again"})
    assert until(run).status == "completed", run_view(run)["error"]
    assert [name for name, _, _ in sorted(sessions())] == ["t1", "t2"] and Request.objects.count() == 1
    steps = AgentAttempt.objects.all()[0].run
    assert steps.parent_step == "rework" and "smaller steps" in steps.context["zen_brief"]
    assert [one["status"] for one in project_view(run)["tasks"]] == ["merged", "merged"]


def test_the_agent_that_planned_plans_the_rest_again(engine: str, worker: Worker) -> None:
    """The attempts of tasks are those of the real performer; what asks people stands before it."""
    first = [{"task_id": name, "prompt": name, "requirements": [f"R{n}"]} for n, name in ((1, "cart"), (2, "till"))]
    faulty = [{"task_id": "small", "prompt": "a", "requirements": ["R1"]}]
    again = [*faulty, {"task_id": "smaller", "prompt": "b", "requirements": ["R2"], "dependencies": ["small"]}]
    worker.says["proposal"] = [json.dumps({"tasks": tasks}) for tasks in (first, faulty, again)]
    worker.asks = asked_first
    run = begun(engine, planner="agent", estimated_duration_hours=SOON, approval_gates=["Release"])
    says("bob", "approve", asked(run, "re-plan"), "smaller steps", answers={"answer": "plan again"})
    gate = asked(run, "Release")
    says("bob", "approve", gate)
    assert until(run).status == "completed", run_view(run)["error"]
    assert [name for name, _ in worker.seen if name not in ("cart", "till")] == ["proposal"] * 3 + ["small", "smaller"]
    view = project_view(run)
    assert [(one["task_id"], one["status"]) for one in view["tasks"]] == [("small", "merged"), ("smaller", "merged")]
    assert [one["status"] for one in view["requirements"]] == ["served", "served"]
    asked_anew = run.children.filter(parent_step="changes").order_by("pk")
    one, two = (child.definition.body["steps"][0]["forward_action"]["prompt"] for child in asked_anew)
    assert "smaller steps" in one and "- cart (R1): A cart" in one and "served by no task (R2)" in two
    in_force = plan_view(run)["plan_hash"]
    assert in_force != output_of(run, "plan")["plan_hash"], "it is another plan"
    for about in (gate.content["context"], output_of(run, "report")["pack"]):
        assert (about["plan_hash"], about["coverage"]) == (in_force, {"R1": ["small"], "R2": ["smaller"]})


def test_it_goes_on_or_ends_as_people_say(engine: str) -> None:
    run = begun(engine, estimated_duration_hours=SOON)
    says("bob", "approve", asked(run, "re-plan"), answers={"answer": "go on"})
    assert until(run).status == "completed" and output_of(run, "changes")["tasks"] == []
    run = begun(engine, estimated_duration_hours=SOON)
    says("bob", "reject", asked(run, "re-plan"), "too late")
    assert until(run).status == "rolled_back"


def test_an_alert_is_raised_as_soon_as_it_takes_longer(engine: str) -> None:
    run = begun(engine, estimated_duration_hours=SOON)
    request = asked(run, "re-plan")
    Run.objects.filter(pk=run.pk).update(started_at=F("started_at") - timedelta(hours=1))  # an alert has to last
    sweep(at_once=True)
    assert "overlong" in {one["code"] for one in RunHealth.objects.get(run=run).issues}
    assert AlertMember.objects.filter(run_id=run.pk, code="overlong").exists()
    says("bob", "reject", request, "too late")
    assert until(run).status == "rolled_back" and Run.objects.get(pk=run.pk).cause == "rejected"


def test_without_monitoring_nobody_is_asked(engine: str) -> None:
    run = until(begun(engine, {"monitoring_enabled": False}, estimated_duration_hours=SOON))
    sweep(at_once=True)
    assert run.status == "completed" and not Request.objects.exists() and not RunHealth.objects.exists()


def test_within_its_estimate_nobody_is_asked(engine: str) -> None:
    run = until(begun(engine, estimated_duration_hours=timedelta(days=1) / timedelta(hours=1)))
    assert run.status == "completed" and not Request.objects.exists()
