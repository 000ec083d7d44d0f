"""`manage.py project`: a spec is checked with every problem named, and a project is seen as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foundation.clock import now
from orchestration.models import AgentEndpoint, Run
from orchestration.projects.start import start_project
from tests.orchestration.core.project.specs import ECOMMERCE, given
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoints() -> None:
    account("bob")
    for name in ("CLAUDE", "AIDER", "CODEX"):
        AgentEndpoint.objects.create(name=name.lower(), agent_type=name, driver="scripted", created_at=now())


def written(folder: Path, data: dict[str, Any]) -> str:
    file = folder / "spec.json"
    file.write_text(json.dumps(data, default=str))
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    found = 0
    try:
        call_command("project", *words)
    except CommandError as error:
        found = error.returncode
    out, err = capsys.readouterr()
    assert found == code, (found, out, err)
    return out, err


def test_a_valid_spec_and_the_plan_that_it_would_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoints: None
) -> None:
    file = written(tmp_path, ECOMMERCE)
    assert "valid, 8 requirements, 8 tasks" in said(capsys, "validate", file)[0]
    found = json.loads(said(capsys, "validate", file, "--json", "--config", "deployment_strategy=blue_green")[0])
    assert found["valid"] and [one["task_id"] for one in found["plan"]["tasks"]][:2] == ["t1", "t2"]
    assert "static file server" in found["warnings"][0]


def test_every_problem_of_spec_config_and_site_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, given(approval_gates=["vibes"], constraints={"timeline": "soon"}))
    err = said(capsys, "validate", file, "--config", "aproval_timeout=3", code=2)[1]
    for part in ("constraints.timeline", "approval_gates[0]", "did you mean 'approval_timeout'?"):
        assert part in err
    err = said(capsys, "start", written(tmp_path, given()), code=2)[1]
    assert "agents_required[0]: has no enabled endpoint (got 'CLAUDE'); add one: `manage.py agent add" in err
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("repository", "told"),
    [("shop", "is no repository that can be cloned"), ("/nowhere/at/all", "is no git repository on this machine")],
)
def test_a_repository_that_is_not_there_is_refused_at_start(
    repository: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoints: None
) -> None:
    assert told in said(capsys, "start", written(tmp_path, given(repository=repository)), code=2)[1]


def test_policies_and_people_of_gates_have_to_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoints: None
) -> None:
    gates = [{"name": "Release", "policy": "nobody-wrote-it"}, {"name": "x", "before": "t1", "approvers": ["nobody"]}]
    err = said(capsys, "validate", written(tmp_path, given(approval_gates=gates)), code=2)[1]
    assert "approval_gates[0].policy" in err and "approval_gates[1].approvers" in err


def test_a_project_is_shown_before_anything_has_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoints: None
) -> None:
    out = said(
        capsys, "start", written(tmp_path, given(success_criteria=["fun"])), "--engine", "celery", "--json"
    )[0]  # fmt: skip
    view = json.loads(out)
    assert (view["workflow_id"], view["kind"], view["phase"]) == ("shop", "multi_agent_project", "prepare")
    assert view["progress"] == {
        "tasks_done": 0, "tasks_total": 2, "requirements_served": 0, "requirements_total": 2, "criteria_proved": 0,
        "criteria_met": 0, "criteria_total": 1,
    }  # fmt: skip
    assert view["criteria"] == [{"id": "C1", "text": "fun", "check": None, "status": "open", "why": "", "evidence": {}}]
    assert [one["status"] for one in view["requirements"]] == ["open", "open"]
    for verb in ("show", "plan", "tasks", "requirements", "evidence", "costs", "logs"):
        assert said(capsys, verb, "shop")[0], verb
        if verb != "logs":
            json.loads(said(capsys, verb, "shop", "--json")[0])


def test_what_is_no_project_is_said(capsys: pytest.CaptureFixture[str], endpoints: None) -> None:
    assert "there is no project 'nobody'" in said(capsys, "show", "nobody", code=2)[1]
    start_project(spec=given(), actor=ADA, engine="celery")
    assert said(capsys, "show", "shop")[0]
