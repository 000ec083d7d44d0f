"""What cannot be done is refused at the start by every door alike: field, value, what is wrong, and what to do instead.

Nothing of it is stored: no run, no definition, no folder.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from approvals.models import Request
from foundation.clock import now
from foundation.errors import BadInput
from orchestration.client import get_temporal_client
from orchestration.core.agent.agent_type import AgentType
from orchestration.models import AgentEndpoint, Definition, Run
from orchestration.projects import ProjectSpec, start_multi_agent_project
from orchestration.projects.start import prepared
from tests.orchestration.api.test_runs import client_of
from tests.orchestration.core.project.specs import given, task

pytestmark = pytest.mark.django_db(transaction=True)

HUGE = 10**400

WRONG: Mapping[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "unknown gate": ({"approval_gates": ["Vibes"]}, {}, "approval_gates[0]", "the phases are: prepare"),
    "gate of no phase": ({"approval_gates": [{"name": "x", "before": "lunch"}]}, {}, "approval_gates[0].before", "t1"),
    "gate of two places": (
        {"approval_gates": [{"name": "x", "before": "t1", "after": "t2"}]}, {}, "approval_gates[0]", "one of the two"
    ),
    "gate of nobody": (
        {"approval_gates": [{"name": "Release", "approvers": ["{x}"]}]}, {}, "approval_gates[0].approvers", ""
    ),
    "spec that becomes too much": (
        {"requirements": [f"{n} {'x' * 1990}" for n in range(200)]}, {}, "project_spec", "shorten its texts"
    ),
    "gate without a name": ({"approval_gates": [""]}, {}, "approval_gates[0].name", "what is approved"),
    "key of the configuration": (
        {"deployment_strategy": "none"}, {}, "deployment_strategy", "--config deployment_strategy="
    ),
    "key of the spec": ({}, {"approval_gates": ["Release"]}, "config.approval_gates", "it is a key of the spec"),
    "folder without git": ({"repository": "{here}"}, {}, "repository", "`git init`"),
    "unknown agent": ({"agents_required": ["CLAUD"]}, {}, "agents_required[0]", "did you mean 'CLAUDE'?"),
    "agent is a number": ({"agents_required": [3]}, {}, "agents_required[0]", "CLAUDE"),
    "no agents": ({"agents_required": []}, {}, "agents_required", "the types of agents"),
    "no endpoint": ({"agents_required": ["CLAUDE", "GOOSE"]}, {}, "agents_required[1]", "manage.py agent add"),
    "disabled endpoint": ({"agents_required": ["CODEX"]}, {}, "agents_required[0]", "manage.py agent enable"),
    "empty requirement": ({"requirements": ["A cart", " "]}, {}, "requirements[1]", "a list of texts"),
    "no requirements": ({"requirements": []}, {}, "requirements", "a list of texts"),
    "requirements as a text": ({"requirements": "A cart"}, {}, "requirements", "a list of texts"),
    "requirements that name each other": (
        {"requirements": ["A cart after R2", "A till after R1"]}, {}, "requirements", "let no requirement name one"
    ),
    "cyclic plan": (
        {"tasks": [task("a", "R1", dependencies=["b"]), task("b", "R2", dependencies=["a"])]}, {}, "tasks",
        "remove one of these dependencies",
    ),
    "unserved requirement": ({"tasks": [task("a", "R1")]}, {}, "requirements[1]", "name R2"),
    "task of no requirement": (
        {"tasks": [task("a", "R1", "R2", "R3")]}, {}, "tasks[0].requirements", "they are: R1, R2"
    ),
    "task of another agent": (
        {"tasks": [task("a", "R1", "R2", agent_type="AIDER")]}, {}, "tasks[0].agent_type", "agents_required"
    ),
    "task without a budget": (
        {"tasks": [task("a", "R1", "R2", budget=-1)]}, {}, "tasks[0].budget", "write a number"
    ),
    "repository that is not there": ({"repository": "/nowhere/at/all"}, {}, "repository", "clone it there"),
    "repository that is none": ({"repository": "{here}"}, {}, "repository", "clone it there"),
    "repository of another user": ({"repository": "https://u:p@git.example/x.git"}, {}, "repository", ""),
    "timeline": ({"constraints": {"timeline": "soon"}}, {}, "constraints.timeline", "'2 weeks'"),
    "timeline as a number": ({"constraints": {"timeline": 14}}, {}, "constraints.timeline", "'2 weeks'"),
    "timeline of years": ({"constraints": {"timeline": "2 years"}}, {}, "constraints.timeline", "366 days"),
    "budget of nothing": ({"constraints": {"budget": 0}}, {}, "constraints.budget", "write a number"),
    "budget in words": ({"constraints": {"budget": "a lot"}}, {}, "constraints.budget", "write a number"),
    "budget of the world": ({"constraints": {"budget": HUGE}}, {}, "constraints.budget", ""),
    "budget of a task in words": (
        {"tasks": [task("a", "R1", "R2", budget="much")]}, {}, "tasks[0].budget", "write a number"
    ),
    "estimate": ({"estimated_duration_hours": 0}, {}, "estimated_duration_hours", "a number above 0"),
    "estimate of the world": ({"estimated_duration_hours": HUGE}, {}, "estimated_duration_hours", "below 1e308"),
    "extra key": ({"requirments": ["x"]}, {}, "requirments", "did you mean 'requirements'?"),
    "extra key of a criterion": (
        {"success_criteria": [{"text": "x", "chek": "y"}]}, {}, "success_criteria[0].chek", "did you mean 'check'?"
    ),
    "check that is none": (
        {"success_criteria": [{"text": "x", "check": {"url": "y"}}]}, {}, "success_criteria[0].check", "shell command"
    ),
    "request to nowhere": (
        {"success_criteria": [{"text": "x", "check": {"api_call": {"url": "file:///etc/passwd"}}}]}, {},
        "success_criteria[0].check.api_call.url", "http",
    ),
    "project_id as a number": ({"project_id": 12}, {}, "project_id", "write it in quotes, as '12'"),
    "requirement as a number": ({"requirements": ["A cart", 3.5]}, {}, "requirements[1]", "in quotes, as '3.5'"),
    "project_id": ({"project_id": "a b"}, {}, "project_id", "letters, digits"),
    "name": ({"name": ""}, {}, "name", "a short name"),
    "too many requirements": ({"requirements": [f"Thing {n}" for n in range(201)]}, {}, "requirements", "list"),
    "long requirement": ({"requirements": ["x" * 2001]}, {}, "requirements[0]", "a list of texts"),
    "planner": ({"planner": "magic"}, {}, "planner", "rules"),
    "extra key of the configuration": ({}, {"aproval_timeout": 3}, "config.aproval_timeout", "'approval_timeout'"),
    "timeout": ({}, {"approval_timeout": -1}, "config.approval_timeout", "above 0"),
    "no agents at once": ({}, {"max_parallel_agents": 0}, "config.max_parallel_agents", "from 1 to 100"),
    "agents at once without end": ({}, {"max_parallel_agents": HUGE}, "config.max_parallel_agents", "below 1e308"),
    "truth": ({}, {"parallel_execution": "yes"}, "config.parallel_execution", "true or false"),
    "strategy": ({}, {"deployment_strategy": "hope"}, "config.deployment_strategy", "one of: blue_green"),
    "too many agents at once": ({}, {"max_parallel_agents": 10**6}, "config.max_parallel_agents", "from 1 to 100"),
    "budget of the configuration": ({}, {"budget": "NaN"}, "config.budget", "write a number"),
    "deployment of nothing": ({}, {"deployment": {"drivr": "local"}}, "config.deployment.drivr", "did you mean"),
}  # fmt: skip
"""What is wrong → the spec's keys, the configuration, the field that has to be named, words of the remedy."""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, settings: Settings) -> Path:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    for name in ("CLAUDE", "CODEX"):
        row = {"agent_type": name, "driver": "scripted", "created_at": now()}
        AgentEndpoint.objects.create(name=name.lower(), enabled=name == "CLAUDE", **row)
    return tmp_path


def nothing_is_stored(site: Path) -> bool:
    rows = Run.objects.exists() or Definition.objects.exists() or Request.objects.exists()
    return not rows and not (site / "data" / "projects").exists()


def by_python(spec: Any, config: Any) -> list[dict[str, Any]]:
    with pytest.raises(BadInput) as refused:
        asyncio.run(start_multi_agent_project(project_spec=spec, config=config, engine="celery"))
    return problems(refused.value)


def by_client(spec: Any, config: Any) -> list[dict[str, Any]]:
    start = get_temporal_client().start_workflow("MultiAgentProjectWorkflow", spec, config=config, engine="celery")
    with pytest.raises(BadInput) as refused:
        asyncio.run(start)
    return problems(refused.value)


def by_rest(door: Client, spec: Any, config: Any, where: str = "") -> list[dict[str, Any]]:
    body = {"project_spec": spec, "config": config} | ({} if where else {"engine": "celery"})
    answer = door.post(f"/api/v1/projects/{where}", body, content_type="application/json")
    assert answer.status_code == 422, answer.content
    found: list[dict[str, Any]] = answer.json()["problems"]
    return found


def problems(error: BadInput) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = error.problems
    assert found and (error.field, error.value) == (found[0]["field"], found[0]["value"])
    return found


def by_console(verb: str, site: Path, spec: Any, config: Any, capsys: pytest.CaptureFixture[str]) -> str:
    files = []
    for name, data in (("spec", spec), ("config", config)):
        file = site / f"{name}.json"
        file.write_text(json.dumps(data))
        files.append(str(file))
    with pytest.raises(CommandError) as refused:
        call_command("project", verb, files[0], "--config", files[1], *(["--engine", "celery"] * (verb == "start")))
    assert refused.value.returncode == 2
    return capsys.readouterr().err


def refused(wrong: str, door: Client, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more, config, field, remedy = WRONG[wrong]
    spec = given(**more)
    if spec.get("repository") == "{here}":
        spec["repository"] = str(site)
    found = by_python(spec, config)
    named = {one["field"]: one for one in found}
    assert field in named, found
    assert named[field]["problem"] and named[field]["remedy"] and remedy in named[field]["remedy"], found
    assert by_client(spec, config) == found
    assert by_rest(door, spec, config) == by_rest(door, spec, config, "validate/") == found
    for verb in ("start", "validate"):
        told = by_console(verb, site, spec, config, capsys)
        assert all(f"{one['field']}: {one['problem']}" in told and str(one["remedy"]) in told for one in found), told


def test_it_is_refused_alike_by_every_door_and_nothing_is_stored(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One test for all: what costs is a fresh database."""
    wrong, door = {}, client_of("operator")
    for name in WRONG:
        try:
            refused(name, door, site, capsys)
        except AssertionError as error:
            wrong[name] = str(error)
    assert not wrong, "\n\n".join(f"{name}: {words}" for name, words in wrong.items())
    assert nothing_is_stored(site)


@pytest.mark.parametrize(
    ("spec", "config", "field"),
    [
        (given(constraints={"budget": float("nan")}), {}, "constraints.budget"),
        (given(constraints={"budget": float("inf")}), {}, "constraints.budget"),
        (given(estimated_duration_hours=float("inf")), {}, "estimated_duration_hours"),
        (given(), {"budget": float("nan")}, "config.budget"),
        (given(), {"approval_timeout": float("inf")}, "config.approval_timeout"),
        (given(), {"deployment": {"x": "y" * 70_000}}, "config"),
        (given(), ["x"], "config"),
        (given(), "", "config"),
        (given(constraints={"x": "y" * 600_000}), {}, "project_spec"),
        (given(constraints={"x": object()}), {}, "constraints.x"),
        (["x"], {}, "project_spec"),
        (None, {}, "project_spec"),
        ("shop", {}, "project_spec"),
    ],
)  # fmt: skip
def test_what_json_cannot_say_is_refused_from_python(spec: Any, config: Any, field: str, site: Path) -> None:
    (one,) = by_python(spec, config)
    assert one["field"] == field and one["problem"] and one["remedy"], one


def test_a_spec_made_in_python_is_looked_at_in_full_as_well(site: Path) -> None:
    (one,) = by_python(ProjectSpec(**given(tasks=[task("a", "R1")])), None)
    assert (one["field"], one["value"]) == ("requirements[1]", "'A till'")
    assert nothing_is_stored(site)


@pytest.mark.parametrize(
    ("agent", "driver"),
    [(AgentType.GEMINI, "cli"), (AgentType.AIDER, "cli"), (AgentType.GOOSE, "acp --command PROGRAM")],
)
def test_how_to_add_an_agent_can_be_typed(agent: AgentType, driver: str) -> None:
    command = f"manage.py agent add {agent.lower()}-1 --type {agent} --driver"
    with pytest.raises(BadInput) as refused:
        prepared(spec=given(agents_required=[agent.value]))
    assert f"`{command} {driver}`" in str(refused.value) and f"`{command} scripted`" in str(refused.value)


def test_every_problem_is_told_at_once_whatever_else_is_wrong(site: Path) -> None:
    spec = given(
        project_id=12, agents_required=["CLAUDE", "GOOSE"], repository="/nowhere/at/all", approval_gates=["Vibes"],
        requirments=["x"], estimated_duration_hours=0, success_criteria=[{"text": "x", "chek": "y"}],
        constraints={"timeline": "soon"}, tasks=[task("a", "R1", agent="CLAUDE"), task("b", "R9")],
    )  # fmt: skip
    config = {"aproval_timeout": 3, "deployment_strategy": "rolling", "deployment": {"drivr": "local"}}
    told = [one["field"] for one in by_python(spec, config)]
    assert sorted(told) == sorted([
        "project_id", "requirments", "estimated_duration_hours", "success_criteria[0].chek", "tasks[0].agent",
        "constraints.timeline", "tasks[1].requirements", "requirements[1]", "approval_gates[0]",
        "config.aproval_timeout", "config.deployment.drivr", "repository", "agents_required[1]",
    ])  # fmt: skip


def test_a_port_of_another_program_is_a_warning_before_the_work_begins(site: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = {"deployment_strategy": "rolling", "deployment": {"command": "x {port}", "health": "/", "port": port}}
        (told,) = prepared(spec=given(), config=config).warnings
        assert f"port {port} cannot be had" in told and "config.deployment.port" in told
        assert not prepared(spec=given(), config=config | {"deployment_strategy": "none"}).warnings
    assert not prepared(spec=given(), config=config).warnings
