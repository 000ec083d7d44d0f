"""Projects in the middle of their work, for the pages that show them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foundation.clock import now
from orchestration.actions.base import Call, Result
from orchestration.core.enums import Outcome
from orchestration.execution.action_table import ACTIONS
from orchestration.models import AgentAttempt, AgentEndpoint, Run, RunLine
from orchestration.projects.start import start_project
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import given
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA


@contextmanager
def thinking() -> Iterator[None]:
    """No agent does anything; each attempt is put off."""
    before = ACTIONS["agent"]

    def parked(call: Call) -> Result:
        return Result(outcome=Outcome.PARKED, error="the agent thinks")

    ACTIONS["agent"] = parked
    try:
        yield
    finally:
        ACTIONS["agent"] = before


def building(engine: str, tasks: int, words: str = "Part", **more: Any) -> Run:
    """A project whose build has begun; every task has had an attempt that lied, and a few lines of another."""
    if not AgentEndpoint.objects.filter(name="claude").exists():
        added("claude", agent_type="CLAUDE", concurrency=4)
    wanted = [f"{words} {number}" for number in range(1, tasks + 1)]
    handle = f"shop-{uuid.uuid4().hex[:8]}"
    run, _ = start_project(
        spec=given(requirements=wanted, **more), actor=ADA, workflow_id=handle, engine=engine,
        config={"max_parallel_agents": 2, "budget": 100},
    )  # fmt: skip
    until(run, lambda _: Run.objects.filter(parent=run, parent_step="build", status="waiting").exists())
    build = Run.objects.get(parent=run, parent_step="build")
    for number in range(1, tasks + 1):
        tried(build, f"t{number}", words)
    return Run.objects.get(pk=run.pk)


def tried(build: Run, task: str, words: str = "Part") -> None:
    """A first attempt that lied, and a second one that goes on."""
    change = {"path": f"{words}.py", "status": "A", "added": 12, "removed": 3, "kind": "code"}
    shared: dict[str, Any] = {
        "run": build, "step_id": task, "iteration": 1, "claim": 1, "agent_type": "CLAUDE", "endpoint_name": "claude",
        "branch": f"zen/shop/{task}", "started_at": now(),
    }  # fmt: skip
    AgentAttempt.objects.create(
        **shared, attempt=1, verdict="lied", ended="end_turn", error=f"{words}: red", cost="1.25", base="b" * 40,
        commit="c" * 40, input_tokens=1200, output_tokens=300, turns=4, facts=[f"{words} says it is done"],
        tampering=[f"{words}: a test was deleted"], checks=[{"command": "make test", "passed": False}], ended_at=now(),
        diff={"files_changed": 2, "added": 12, "removed": 3, "files": [change], "tests": [change], "config": []},
    )  # fmt: skip
    AgentAttempt.objects.create(**shared, attempt=2)
    RunLine.objects.bulk_create(
        RunLine(
            run=build, step_id=task, attempt=2, n=n, at=now(), level=20 + 10 * (n % 3), logger="agent",
            text=f"{words} {task} line {n}",
        )
        for n in range(1, 9)
    )  # fmt: skip
