"""What tests of projects share: begin one, find what people are asked, read what came of it."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from approvals.models import Request
from orchestration.core.project.sagas.acceptance import answer_name
from orchestration.models import AgentAttempt, Run
from orchestration.projects.start import start_project
from orchestration.runs.queries import run_view
from tests.orchestration.core.project.specs import given
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA


def begun(engine: str, config: dict[str, Any] | None = None, *, handle: str = "", **more: Any) -> Run:
    """Under a handle of its own: a Temporal server knows those of the tests before."""
    handle = handle or f"shop-{uuid.uuid4().hex[:8]}"
    return start_project(spec=given(**more), config=config, actor=ADA, workflow_id=handle, engine=engine)[0]


def asked(run: Run, stage: str) -> Request:
    def is_there(now: Run) -> bool:
        return now.finished_at is not None or Request.objects.filter(stage=stage, status="pending").exists()

    until(run, is_there)
    assert not Run.objects.get(pk=run.pk).finished_at, run_view(Run.objects.get(pk=run.pk))["error"]
    return Request.objects.get(stage=stage, status="pending")


def in_round(request: Request, number: int) -> Callable[[Run], bool]:
    return lambda _: Request.objects.filter(pk=request.pk, status="pending", round=number).exists()


def sessions() -> list[tuple[str, str, str]]:
    """Task, type and verdict of each session of an agent, in order."""
    return list(AgentAttempt.objects.order_by("id").values_list("step_id", "agent_type", "verdict"))


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def answered(request: Request) -> dict[str, str]:
    """Its form, every criterion accepted."""
    asked_for = request.content["context"].get("criteria", ()) if request.stage == "unproved-criteria" else ()
    return {answer_name(one["id"]): "accepted" for one in asked_for}
