"""A queue that nobody serves is named, with the command that would."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitoring.probes import workers
from orchestration.clock import now
from orchestration.engines.celery import lease
from orchestration.models import Command, Run, Worker
from orchestration.services import start_run
from orchestration.why import why
from tests.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def started(*queues: str) -> Run:
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    steps: list[dict[str, Any]] = [{"step_id": f"s{n}", "forward_action": act} for n in range(len(queues))]
    for step, queue in zip(steps, queues, strict=True):
        if queue:
            step["queue"] = queue
    run, _ = start_run(definition={"saga_id": "queues", "steps": steps}, actor=ADA, engine="celery")
    return run


def serving(**queues: int) -> None:
    detail = {"queues": queues} if queues else {}
    soon = now() + timedelta(minutes=5)
    Worker.objects.create(name="w", engine="celery", started_at=now(), lease_until=soon, detail=detail)


def test_the_row_of_a_command_has_the_steps_queue() -> None:
    run = started("agents")
    assert Command.objects.get(run=run, step_id="s0").queue == "agents"


def test_why_names_a_queue_that_nobody_serves_and_the_command_that_would() -> None:
    serving(default=8, agent=2)
    (line,) = why(started("agents"))
    assert "no celery worker serves the queue 'agents' (served is 'agent')" in line
    assert "ZEN_WORKER_QUEUES=default:8,agents:4 celery -A zen_project worker -B" in line


def test_why_says_nothing_of_a_queue_that_is_served() -> None:
    serving(agents=2)
    (line,) = why(started("agents"))
    assert "queue" not in line


def test_doctor_names_a_queue_that_a_later_step_will_need() -> None:
    serving(default=8)
    started("", "agents")
    found = workers()
    assert found.state == "warning" and "no celery worker serves the queue 'agents'" in found.detail
    assert "agents:4 celery -A zen_project worker" in found.remedy


def test_doctor_is_content_once_it_is_served_and_once_no_run_needs_it() -> None:
    serving(default=8, agents=1)
    run = started("", "agents")
    assert workers().state == "ok"
    Worker.objects.update(detail={})  # a worker of before there were queues
    assert workers().state == "warning"
    Run.objects.filter(pk=run.pk).update(finished_at=now())
    Command.objects.all().delete()
    assert workers().state == "ok"


def test_a_worker_says_which_queues_it_serves(settings: Any) -> None:
    settings.ZEN_WORKER_QUEUES = {"default": 3, "agents": 1}
    lease.renew("w")
    assert Worker.objects.get().detail["queues"] == {"default": 3, "agents": 1}
