"""Every verdict, each by an agent program that misbehaves in its own way, all at once and on every engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.agents.base import Sandbox
from orchestration.agents.endpoints import services
from orchestration.agents.endpoints.given import Given
from orchestration.agents.workspace.checks.judge import examine
from orchestration.agents.workspace.janitor import janitor
from orchestration.agents.workspace.layout import Layout, remove
from orchestration.agents.workspace.repository import Repository
from orchestration.core.enums import Verb
from orchestration.models import AgentAttempt, AgentEndpoint, AgentLease, Run
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

AGENTS: dict[str, tuple[str, str, str]] = {
    "CLAUDE": ("write", "done", ""),
    "CODEX": ("empty", "empty", "no file was changed"),
    "AIDER": ("weakens_tests", "lied", "tests/test_shop.py: test_price is skipped"),
    "GEMINI": ("permission", "denied", "the agent asks"),
    "OPENCODE": ("question", "blocked", "Which word shall I add?"),
    "GOOSE": ("hangs", "stalled", "ended as stalled"),
    "CURSOR": ("crashes", "crashed", "ended as crashed"),
    "COPILOT": ("unauthorized", "auth", "401"),
    "CUSTOM": ("rate_limited", "rate_limited", "ended as rate_limited"),
}
"""By type: how its only agent behaves, the verdict, and a fact of the attempt. Nobody here could be asked."""


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    for name in Run.objects.values_list("workflow_id", flat=True):
        remove(Layout.of(name).folder)


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A user's repository with a test."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_shop.py").write_text("def test_price():\n    assert 1 + 1 == 2\n")
    who = ["git", "-C", str(tmp_path), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Open the shop"]):
        subprocess.run([*who, *words], check=True)
    return str(tmp_path)


def start(engine: str, agent_type: str, source: str, **more: Any) -> Run:
    action = {"type": "agent", "agent": agent_type, "prompt": "Build the shop", "checks": ["true"], **more}
    if source:
        action["repository"] = source
    step = {"step_id": "a", "queue": "default", "retry_count": 0, "forward_action": action}
    return start_run(definition={"saga_id": "s", "steps": [step]}, actor=ADA, engine=engine)[0]


def test_every_misbehaviour_has_its_verdict_and_nothing_is_left(engine: str, source: str) -> None:
    runs = {}
    for agent_type, (behaviour, _, _) in AGENTS.items():
        args = ("--behaviour", behaviour)
        services.add(Given(name=behaviour, agent_type=agent_type, driver="scripted", args=args), actor=ADA)
        runs[agent_type] = start(engine, agent_type, source, stall_seconds=5 if behaviour == "hangs" else 600)
    ended = {agent_type: until(run) for agent_type, run in runs.items()}
    rows = {row.agent_type: row for row in AgentAttempt.objects.all()}
    assert {name: row.verdict for name, row in rows.items()} == {name: told[1] for name, told in AGENTS.items()}
    for agent_type, (_, verdict, words) in AGENTS.items():
        run, row = ended[agent_type], rows[agent_type]
        assert run.status == ("completed" if verdict == "done" else "rolled_back"), agent_type
        told = "; ".join(row.facts)
        assert words in told, (agent_type, told)
        said = "nobody could be asked" if verdict in {"denied", "blocked"} else f"came to the verdict {verdict}"
        assert verdict == "done" or said in run_view(run)["error"]
        report = janitor(run.workflow_id)
        assert report.is_clean and not report.found.processes, (agent_type, report.to_json())
    assert AgentEndpoint.objects.get(name="unauthorized").out_since is not None
    assert AgentEndpoint.objects.get(name="rate_limited").not_before is not None
    assert not AgentLease.objects.exists()


def test_one_that_spends_more_than_it_may_is_ended(engine: str) -> None:
    services.add(
        Given(name="one", agent_type="CLAUDE", driver="scripted", args=("--behaviour", "over_budget")), actor=ADA
    )
    run = until(start(engine, "CLAUDE", "", budget="3"))
    assert run.status == "rolled_back"
    row = AgentAttempt.objects.get()
    assert row.verdict == "over_budget" and row.cost is not None and 3 <= row.cost < 100


def test_a_run_that_is_aborted_while_checks_run_calls_nobody_a_liar(engine: str) -> None:
    services.add(Given(name="one", agent_type="CLAUDE", driver="scripted"), actor=ADA)
    run = start(engine, "CLAUDE", "", checks=["touch begun && sleep 600"])
    folder = Layout.of(run.workflow_id).checkouts
    wait_until(lambda: folder.is_dir() and list(folder.glob("*/files/begun")), "the check runs")
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    assert until(run).status == "rolled_back"
    wait_until(lambda: not AgentLease.objects.exists(), "the endpoint is given back")
    assert AgentAttempt.objects.get().verdict == "crashed"
    report = janitor(run.workflow_id)
    assert report.is_clean and not report.found.processes and not report.found.checkouts, report.to_json()


def test_a_commit_that_was_accepted_holds_what_was_examined(engine: str, source: str) -> None:
    """The evidence of the row is what examining the commit anew gives."""
    services.add(Given(name="one", agent_type="CLAUDE", driver="scripted"), actor=ADA)
    run = until(start(engine, "CLAUDE", source, checks=["ls", "git log -1 --format=%s"]))
    row = AgentAttempt.objects.get()
    assert row.verdict == "done", row.facts
    repository = Repository(layout=Layout.of(run.workflow_id))
    again = examine(repository, row.base, row.commit, ["ls", "git log -1 --format=%s"], sandbox=Sandbox(mode="off"))
    assert again.diff.to_json() == row.diff
    assert [one.digest for one in again.checks] == [one["digest"] for one in row.checks]
    wait_until(lambda: not AgentLease.objects.exists(), "the endpoint is given back")
