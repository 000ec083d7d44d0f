"""Projects from spec to report, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from foundation.audit import signing_key
from foundation.errors import BadInput
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import INTEGRATION, Repository
from orchestration.core.enums import Verb
from orchestration.core.project import ProjectConfig, ProjectSpec
from orchestration.models import Run
from orchestration.projects.phases.project import Project, output_of
from orchestration.projects.phases.report import _pushed, signed_bytes
from orchestration.projects.queries import project_view
from orchestration.projects.start import start_project
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.orchestration.core.project.specs import given
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.projects.scenes import asked, begun, git, sessions


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


def test_an_abort_leaves_no_branch_and_no_worktree(engine: str) -> None:
    run = begun(engine, approval_gates=["Release"])
    asked(run, "Release")
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back"
    layout = Layout.of(run.workflow_id)
    assert Repository(layout=layout).branches() == [] and not any(folder.exists() for folder in layout.temporary)
    assert output_of(run, "prepare")["repository"] == str(layout.repository) and layout.repository.is_dir()


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
