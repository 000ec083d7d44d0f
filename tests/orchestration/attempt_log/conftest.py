from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from foundation.clock import now
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.attempt_log.current import attempt
from orchestration.models import Run, RunLine
from orchestration.runs import start_run

ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
Under = Callable[..., AbstractContextManager[None]]
DEFINITION = {
    "saga_id": "lines",
    "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}],
}


@pytest.fixture
def run(db: None) -> Run:
    found, _ = start_run(definition=DEFINITION, actor=ADA, engine="celery", workflow_id="lines-1")
    return found


@pytest.fixture
def under(run: Run) -> Under:
    """A context in which the code belongs to an attempt of the run."""

    names = {
        "run_id": run.pk, "workflow_id": run.workflow_id, "engine": run.engine, "step_id": "a", "purpose": "forward",
        "iteration": 1, "attempt": 1, "claim": 1,
    }  # fmt: skip
    return lambda **other: attempt(**{**names, **other})


@pytest.fixture
def secret(settings: Any) -> str:
    settings.ZEN_SECRETS = {"TOKEN": "s3cr3t-value-of-token"}
    return "s3cr3t-value-of-token"


def texts(**which: Any) -> list[str]:
    return list(RunLine.objects.filter(**which).order_by("id").values_list("text", flat=True))


def filled(run: Run, number: int) -> None:
    """So many lines of another step."""
    RunLine.objects.bulk_create(
        RunLine(run=run, step_id="b", n=n, at=now(), logger="shop", text="x") for n in range(1, number + 1)
    )
