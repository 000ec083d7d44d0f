"""A project that takes more than a fifth longer than was expected: people say how it goes on."""

from __future__ import annotations

from datetime import timedelta

from approvals.models import Request
from orchestration.models import AgentAttempt
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.runs.queries import run_view
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.test_projects import asked, begun, sessions

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


def test_it_goes_on_or_ends_as_people_say(engine: str) -> None:
    run = begun(engine, estimated_duration_hours=SOON)
    says("bob", "approve", asked(run, "re-plan"), answers={"answer": "go on"})
    assert until(run).status == "completed" and output_of(run, "changes")["tasks"] == []
    run = begun(engine, estimated_duration_hours=SOON)
    says("bob", "reject", asked(run, "re-plan"), "too late")
    assert until(run).status == "rolled_back"


def test_without_monitoring_nobody_is_asked(engine: str) -> None:
    run = until(begun(engine, {"monitoring_enabled": False}, estimated_duration_hours=SOON))
    assert run.status == "completed" and not Request.objects.exists()


def test_within_its_estimate_nobody_is_asked(engine: str) -> None:
    run = until(begun(engine, estimated_duration_hours=timedelta(days=1) / timedelta(hours=1)))
    assert run.status == "completed" and not Request.objects.exists()
