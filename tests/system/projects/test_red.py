"""What is not proved never completes by itself: people are asked, with the evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.errors import BadInput
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.models import Run
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.runs.queries import run_view
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.scenes import asked, begun, git, sessions


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
