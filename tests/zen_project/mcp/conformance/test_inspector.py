"""The inspector's CLI lists and calls every tool over both transports, and reads resources and prompts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from foundation.models import ApiToken
from tests.orchestration.core.project.specs import given
from tests.support.mcp_clients import site
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.crash.workers import ROOT
from tests.zen_project.mcp.conformance.peers import node, script
from zen_project.mcp.tools import ENTRIES

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = {"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}
SAGA = {"saga_id": "order", "steps": [WAIT]}
RUN, STEP = {"workflow_id": "o-1"}, {"workflow_id": "o-1", "step_id": "none"}
REFUSED = 5
"""What the CLI ends with where a tool's answer is an error."""

CALLS: dict[str, dict[str, Any]] = {
    "start_saga": {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"},
    "request_approval": {"stage": "deployment", "request_id": "a-1", "approvers": ["dora"], "engine": "celery"},
    "list_runs": {}, "get_run": RUN, "explain_run": RUN, "get_events": RUN, "get_logs": RUN, "health": RUN,
    "dashboard": {}, "validate_saga": {"definition": SAGA}, "preview_saga": {"definition": SAGA},
    "preview_act": RUN | {"verb": "abort"}, "list_approvals": {}, "get_approval": {"request_id": "a-1"},
    "workflow_orchestrator": {"operation": "status", "workflow_id": "o-1"},
    "hold_run": RUN, "release_run": RUN, "abort_run": RUN,
}  # fmt: skip
"""What is answered, in this order."""

REFUSALS: dict[str, dict[str, Any]] = {
    "start_project": {"spec": given()}, "decide_approval": {"request_id": "a-1", "decision": "approve"},
    "retry_step": STEP, "rerun_step": STEP, "skip_step": STEP, "resolve_step": STEP | {"answer": "retry"},
    "restart_run": {"workflow_id": "none"}, "force_stop_run": RUN,
}  # fmt: skip
"""What is refused: since there is no such step or run, by the role, for want of endpoints."""

Inspector = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["http", "stdio"])
def inspector(request: pytest.FixtureRequest, process_env: dict[str, str], tmp_path: Path) -> Iterator[Inspector]:
    """Runs the CLI with these arguments against a real site, or a `manage.py mcp` of its own, for an operator."""
    program = [node(), str(script("@modelcontextprotocol/inspector", "clients/launcher/build/index.js")), "--cli"]
    for name, role in (("ada", "operator"), ("dora", "approver")):
        user = User.objects.create_user(name, f"{name}@example.com")
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    token = ApiToken.issue(User.objects.get(username="ada"))[1]
    env = process_env | {"ZEN_ENGINE": "celery", "HOME": str(tmp_path), "ZEN_MCP_TOKEN": token}

    def over(target: list[str], *asked: str) -> subprocess.CompletedProcess[str]:
        command = [*program, *target, "--format", "json", *asked]
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )

    if request.param == "stdio":
        passed = [
            one
            for name, value in env.items()
            if name.startswith(("ZEN_", "DATABASE_"))
            for one in ("-e", f"{name}={value}")
        ]
        yield lambda *asked: over([sys.executable, "manage.py", "mcp", *passed], *asked)
        return
    with site(env) as served:
        header = ["--transport", "http", "--header", f"Authorization: Bearer {token}"]
        yield lambda *asked: over([f"{served.url}/mcp", *header], *asked)


def said(found: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert found.returncode == code, f"{found.args}\n{found.stdout}\n{found.stderr}"
    return json.loads(found.stdout)["result"]


@pytest.mark.slow
def test_the_inspector_lists_and_calls_every_tool_and_reads_what_there_is(inspector: Inspector) -> None:
    def called(name: str, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return inspector("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))

    tools = said(inspector("--method", "tools/list", "--strict"))["tools"]
    assert {tool["name"] for tool in tools} == {*CALLS, *REFUSALS} == {entry.name for entry in ENTRIES}
    for name, arguments in list(CALLS.items())[:2]:
        said(called(name, arguments))
    reading = list(CALLS.items())[2:-3]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda one: called(*one), reading):
            said(found)
    for name in ("hold_run", "release_run"):
        assert said(called(name, RUN))["structuredContent"]["workflow_id"] == "o-1"
    resource = said(inspector("--method", "resources/read", "--uri", "run://o-1"))
    assert json.loads(resource["contents"][0]["text"]) == said(called("get_run", RUN))["structuredContent"]
    listed = said(inspector("--method", "resources/list"))["resources"]
    assert [one["uri"] for one in listed][:2] == ["approval://a-1", "run://o-1"]
    assert len(said(inspector("--method", "resources/templates/list"))["resourceTemplates"]) == 5
    assert len(said(inspector("--method", "prompts/list"))["prompts"]) == 4
    prompt = inspector(
        "--method", "prompts/get", "--prompt-name", "explain_failure", "--prompt-args", "workflow_id=o-1"
    )
    assert said(prompt)["messages"]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda one: called(*one), REFUSALS.items()):
            assert said(found, REFUSED)["structuredContent"]["problems"][0]["problem"]
    assert said(called("abort_run", RUN))["structuredContent"]["status"] == "rolled_back"
