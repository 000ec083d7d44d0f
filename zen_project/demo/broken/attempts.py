"""An attempt takes too long: its thread hangs, or it is slower than it usually is."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

from foundation.clock import now
from monitoring.models import Norm
from orchestration.core.enums import RunStatus
from orchestration.models import Command, Run
from orchestration.runs import start_run
from zen_project.demo.broken.scene import Scene, Told, World
from zen_project.demo.people import ME
from zen_project.demo.stage import looked_at, passes, said, status

_free = threading.Event()


def build(params: Mapping[str, Any], context: object) -> dict[str, Any]:
    """A handler that hears nothing, whatever asks it to end, until the scene lets it go."""
    _free.wait(300)
    return {"built": True}


def _hangs(world: World) -> Told:
    run = _building(world, "build-five", timeout_seconds=60)
    _began(run, 110)
    passes(lambda: looked_at(run) and bool(said(run, "overdue_step")), "nobody saw it")
    sentence = said(run, "overdue_step")
    _free.set()
    passes(lambda: RunStatus(status(run)).is_end, "it did not end")
    return Told(
        said=sentence, act="its worker would be restarted; here the thread is let go", result=status(run), fine=True
    )


def _slower_than_usual(world: World) -> Told:
    Norm.objects.update_or_create(
        saga_id="build", step_id="build", purpose="forward",
        defaults={"n": 100, "p50": 90, "p95": 240, "p99": 300, "updated_at": now()},
    )  # fmt: skip
    run = _building(world, "build-nine", timeout_seconds=7200)
    _began(run, 41 * 60)
    passes(lambda: looked_at(run) and bool(said(run, "slow_step")), "nobody saw it")
    sentence = said(run, "slow_step")
    _free.set()
    passes(lambda: status(run) == "completed", "it did not complete")
    return Told(
        said=sentence, act="an operator reads its log, and waits", result=status(run), fine="95 of 100" in sentence
    )


def _building(world: World, handle: str, *, timeout_seconds: int) -> Run:
    _free.clear()
    settings.ZEN_TASKS = {"build": f"{__name__}.build"}
    action = {"type": "task", "handler": "build"}
    step = {"step_id": "build", "timeout_seconds": timeout_seconds, "retry_count": 0, "forward_action": action}
    run, _ = start_run(
        definition={"saga_id": "build", "steps": [step]}, actor=ME, workflow_id=handle, engine=world.engine
    )
    passes(lambda: Command.objects.filter(run=run, started_at__isnull=False).exists(), "nobody took it")
    return run


def _began(run: Run, seconds: float) -> None:
    """As if it had been taken so long ago."""
    Command.objects.filter(run=run, kind="run_action").update(started_at=now() - timedelta(seconds=seconds))


SCENES = (
    Scene(number=5, fault="a handler hangs past its timeout, and its thread too", play=_hangs),
    Scene(number=9, fault="a step takes ten times as long as usual", play=_slower_than_usual),
)
