"""The seed's first example with Codex itself as the agent of its type. Run by test_offline.py, where no network is."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestration.models import AgentAttempt, AgentEndpoint, Run
from orchestration.projects.phases.project import output_of
from orchestration.projects.start import start_project
from orchestration.runs.queries import run_view
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.agents.test_real_agents import WHERE
from tests.orchestration.core.project.specs import ECOMMERCE, ECOMMERCE_CONFIG
from tests.support.model_server import ModelServer, Script
from tests.system.contract.cast import says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.projects.scenes import answered, asked

GATES = ("Architecture Review", "Security Review", "Performance Testing", "unproved-criteria", "Production Deployment")
PROVIDER = """model="fake"
model_provider="loopback"
[model_providers.loopback]
name="loopback"
base_url="{url}/v1"
wire_api="responses"
"""


def one_file_a_task(asked_for: str) -> Mapping[str, str]:
    (task,) = set(re.findall(r"## Task (t\d+):", asked_for))
    return {f"{task}.txt": f"by the model, for {task}\n"}


@pytest.fixture
def codex(place: Path, tmp_path: Path) -> Iterator[Script]:
    """The endpoint of the type CODEX is Codex as its maker ships it, and its model is ours."""
    program = shutil.which("codex", path=WHERE)
    assert program is not None
    home = tmp_path / "home"
    (home / ".codex").mkdir(parents=True)
    with ModelServer(Script(files={}, chosen=one_file_a_task)) as model:
        (home / ".codex" / "config.toml").write_text(PROVIDER.format(url=model.url))
        AgentEndpoint.objects.filter(agent_type="CODEX").delete()
        added("codex-itself", agent_type="CODEX", driver="cli", command=program, env={"HOME": str(home)})
        yield model.script


@pytest.mark.parametrize("engine", ["celery"], indirect=True)
def test_codex_works_on_the_seeds_first_example_where_no_network_is(engine: str, codex: Script) -> None:
    with pytest.raises(OSError, match="unreachable"):
        socket.create_connection(("192.0.2.1", 443), 5)
    config = ECOMMERCE_CONFIG | {"deployment_strategy": "none"}
    run, _ = start_project(spec=ECOMMERCE, config=config, actor=ADA, engine=engine)
    for stage in GATES:
        request = asked(run, stage)
        says("bob", "approve", request, answers=answered(request))
    assert until(run).status == "completed", run_view(run)["error"]
    by_codex = AgentAttempt.objects.filter(endpoint_name="codex-itself").order_by("step_id")
    assert [(one.step_id, one.verdict) for one in by_codex] == [("t3", "done"), ("t6", "done")]
    assert all(one.input_tokens and one.diff["files"] for one in by_codex) and codex.asked
    assert {one["task"] for one in output_of(run, "report")["pack"]["merges"]} == {f"t{n}" for n in range(1, 9)}
    assert Run.objects.get(pk=run.pk).finished_at
