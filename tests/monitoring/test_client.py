"""The public client of monitoring."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from foundation.errors import BadInput, NotFound
from foundation.identity.actor import CONSOLE_ROLES, Actor
from monitoring.client import get_workflow_monitor
from orchestration.models import RunLine
from orchestration.runs import start_run

pytestmark = pytest.mark.django_db(transaction=True)
STEP = {"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}


def test_the_log_of_a_run_is_read_and_there_is_one_monitor() -> None:
    ada = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
    run, _ = start_run(definition={"saga_id": "s", "steps": [STEP]}, actor=ada, engine="celery", workflow_id="m-1")
    RunLine.objects.create(run=run, step_id="a", n=1, at=run.created_at, level=40, logger="shop", text="it broke")
    monitor = get_workflow_monitor()
    assert monitor is get_workflow_monitor()
    read = async_to_sync(monitor.get_workflow_logs)
    (entry,) = read("m-1", step_id="a", level="error")
    assert (entry["source"], entry["level"], entry["message"]) == ("line", "ERROR", "it broke")
    assert read("m-1", after=entry["seq"], step_id="a", level="error") == []
    with pytest.raises(NotFound):
        read("nobody")
    with pytest.raises(BadInput):
        read("m-1", limit=0)
