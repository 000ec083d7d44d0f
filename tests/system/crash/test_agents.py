"""A worker is killed while an agent is at work: nothing of it goes on, and another worker does the task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.services import add
from orchestration.agents.workspace.layout import Layout, remove
from orchestration.agents.workspace.owned import processes
from orchestration.models import AgentAttempt, AgentEndpoint, AgentLease, Run
from orchestration.runs import start_run
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.crash.workers import WorkerProcess, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    for name in Run.objects.values_list("workflow_id", flat=True):
        remove(Layout.of(name).folder)


def asking(engine: str) -> Run:
    add(Given(name="one", agent_type="CLAUDE", driver="scripted", args=("--behaviour", "hangs")), actor=ADA)
    action = {"type": "agent", "agent": "CLAUDE", "prompt": "Write a parser"}
    definition = {"saga_id": "s", "steps": [{"step_id": "a", "forward_action": action}]}
    run, _ = start_run(definition=definition, actor=ADA, engine=engine)
    return run


def killed_at_work(first: WorkerProcess, run: Run) -> None:
    wait_until(lambda: AgentAttempt.objects.exclude(session_id="").exists(), first.output)
    assert processes(Layout.of(run.workflow_id)), "the agent is at work"
    first.kill()
    wait_until(
        lambda: not processes(Layout.of(run.workflow_id)),
        lambda: f"the agent's processes end: {processes(Layout.of(run.workflow_id))}",
    )


@pytest.mark.parametrize("engine", ["celery", "temporal"])
def test_the_agent_ends_with_its_worker_and_the_next_one_takes_its_endpoint_at_once(
    engine: str, worker_env: dict[str, str], request: pytest.FixtureRequest, settings: Settings
) -> None:
    command: tuple[str, ...] = ()
    if engine == "temporal":
        settings.TEMPORAL_ADDRESS = request.getfixturevalue("temporal_dev_server")
        settings.TEMPORAL_TASK_QUEUE = "killed-agents"
        worker_env |= {"TEMPORAL_ADDRESS": settings.TEMPORAL_ADDRESS, "TEMPORAL_TASK_QUEUE": "killed-agents"}
        command = ("manage.py", "temporal_worker")
    with worker(worker_env, *command, engine=engine) as first:
        run = asking(engine)
        killed_at_work(first, run)
    AgentEndpoint.objects.update(args=["--behaviour", "write"])
    lease = AgentLease.objects.get()
    with worker(worker_env, *command, engine=engine):
        until(run)
    assert run.status == "completed" and not AgentLease.objects.exists()
    assert not processes(Layout.of(run.workflow_id))
    lost, done = AgentAttempt.objects.order_by("id")
    assert (lost.verdict, lost.error) == ("crashed", "its worker was lost") and lease.claim == lost.claim
    assert (done.verdict, done.attempt) == ("done", lost.attempt) and done.claim > lost.claim


def test_a_session_that_was_held_to_its_end_is_only_judged(worker_env: dict[str, str]) -> None:
    """Its worker is killed over the checks: the session is not held, and not paid for, a second time."""
    add(Given(name="one", agent_type="CLAUDE", driver="scripted"), actor=ADA)
    gate = Path(worker_env["ZEN_DATA_DIR"]) / "gate"
    check = f"while [ -e {gate} ]; do sleep 0.1; done"
    action = {"type": "agent", "agent": "CLAUDE", "prompt": "Write a parser", "checks": [check]}
    gate.parent.mkdir(parents=True, exist_ok=True)
    gate.touch()
    with worker(worker_env) as first:
        run, _ = start_run(
            definition={"saga_id": "s", "steps": [{"step_id": "a", "forward_action": action}]}, actor=ADA,
            engine="celery",
        )  # fmt: skip
        wait_until(lambda: AgentAttempt.objects.filter(ended="end_turn").exists(), first.output)
        wait_until(lambda: list(Layout.of(run.workflow_id).checkouts.glob("*")), first.output)
        first.kill()
    gate.unlink()
    with worker(worker_env):
        until(run)
    assert run.status == "completed"
    row = AgentAttempt.objects.get()
    assert row.verdict == "done" and row.commit and not AgentLease.objects.exists()
