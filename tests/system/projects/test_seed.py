"""The two projects of the document that Zen was described by, as they stand there but for their import lines.

`seed/` has the code, run as it is: from the spec over every gate and the deployment to the report, on both engines.
"""

from __future__ import annotations

import ast
import asyncio
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.agents import AgentType
from orchestration.agents.workspace.janitor import leftovers
from orchestration.agents.workspace.layout import Layout
from orchestration.models import Run
from orchestration.projects.deployment.local.folder import folder_of, folders, read
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.projects.phases.project import output_of
from orchestration.runs.queries import run_view
from orchestration.workers.celery import in_process
from orchestration.workers.temporal import worker as on_temporal
from tests.orchestration.core.project import specs
from tests.support.servers.fixtures import need
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.projects.conftest import QUEUES
from tests.system.projects.scenes import answered, asked, sessions
from zen_project.embedded import temporal

SEED = Path(__file__).with_name("seed")
BUILT_OF = {
    "example_1": (
        ["Architecture Review", "Security Review", "Performance Testing", "unproved-criteria", "Production Deployment"],
        {"CLAUDE", "AIDER", "CODEX"},
        8,
    ),
    "section_2": (["Backend API", "unproved-criteria", "deployment"], {"CLAUDE", "AIDER"}, 4),
}
"""The gates in the order in which they are asked, the agents, and the number of tasks."""


@pytest.fixture(params=["celery", "temporal"])
def engine(request: pytest.FixtureRequest, settings: Settings, place: Path) -> Iterator[str]:
    """The engine of the site, so that the code need not name it. Temporal is a new server: the handles are fixed."""
    settings.ZEN_ENGINE = request.param
    with ExitStack() as hosts:
        hosts.callback(lambda: [stop_all(one) for one in folders()])
        if request.param == "celery":
            hosts.enter_context(in_process.hosted(queues=QUEUES))
        else:
            need(temporal.available)
            server = hosts.enter_context(temporal.temporal_dev_server(place / "temporal"))
            settings.TEMPORAL_ADDRESS = server.address
            hosts.enter_context(on_temporal.hosted(queues=QUEUES))
        yield request.param


def ran(name: str) -> dict[str, Any]:
    """What the code leaves in its names, run as at a prompt: with `await` at its top."""
    file = SEED / f"{name}.py.txt"
    code: CodeType = compile(file.read_text(), str(file), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}

    async def run() -> None:
        await eval(code, names)

    asyncio.run(run())
    return names


@pytest.mark.slow
@pytest.mark.parametrize("example", BUILT_OF)
def test_it_goes_over_every_gate_to_its_end(engine: str, example: str) -> None:
    gates, agents, tasks = BUILT_OF[example]
    names = ran(example)
    result = names["result"]
    assert (result["engine"], result["started"]) == (engine, True)
    run = Run.objects.get(workflow_id=result["workflow_id"])
    for stage in gates:
        request = asked(run, stage)
        says("bob", "approve", request, answers=answered(request))
    assert until(run).status == "completed", run_view(run)["error"]
    assert sorted((task, verdict) for task, _, verdict in sessions()) == [
        (f"t{n}", "done") for n in range(1, tasks + 1)
    ]
    assert {kind for _, kind, _ in sessions()} == agents
    report = output_of(run, "report")
    assert len(report["pack"]["merges"]) == tasks and report["janitor"]["clean"]
    assert leftovers(Layout.of(run.workflow_id)).is_empty
    if example == "example_1":
        deployed = read(folder_of(run.workflow_id))
        with urllib.request.urlopen(f"http://127.0.0.1:{deployed.port}/t1.md") as answer:
            assert "User authentication and authorization" in answer.read().decode()
        assert [one.commit for one in deployed.releases.values()] == [output_of(run, "verify")["commit"]]


def test_the_specs_of_other_tests_are_these() -> None:
    """Compared as values, so that neither copy drifts."""
    for name, spec in (("example_1", specs.ECOMMERCE), ("section_2", specs.WEB_APP)):
        tree = ast.parse((SEED / f"{name}.py.txt").read_text())
        call = next(one.value for one in tree.body if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call))
        written = {
            word.arg: eval(compile(ast.Expression(word.value), name, "eval"), {"AgentType": AgentType})
            for word in call.keywords
        }
        assert written == spec
