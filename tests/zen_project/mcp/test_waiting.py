"""A start can wait: it tells what happens meanwhile, and answers when the run has ended or needs a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mcp import Client

from approvals.models import Request
from tests.support.mcp_clients import problems, talk
from tests.system.contract.cast import account
from tests.system.crash.workers import worker
from tests.zen_project.mcp.conftest import Person
from zen_project.mcp.waiting import stands_still

pytestmark = pytest.mark.django_db(transaction=True)


def saga(*actions: dict[str, Any]) -> dict[str, Any]:
    steps = [{"step_id": f"s{n}", "forward_action": action} for n, action in enumerate(actions)]
    return {"saga_id": "order", "steps": steps}


SHORT = saga({"type": "wait", "seconds": 1}, {"type": "wait", "seconds": 1})
GATED = saga({"type": "approval", "approvers": ["dora"]}, {"type": "wait", "seconds": 1})


async def started(client: Client, **given: Any) -> tuple[dict[str, Any], list[tuple[float, str]]]:
    told: list[tuple[float, str]] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    found = await client.call_tool("start_saga", {"engine": "celery", **given}, progress_callback=progress)
    assert isinstance(found.structured_content, dict), found
    return found.structured_content, told


def test_it_waits_until_the_run_has_ended_or_waits_for_a_person(
    person: Callable[..., Person], process_env: dict[str, str]
) -> None:
    account("dora")
    ada = person("operator", "ada")
    with worker(process_env | {"ZEN_ENGINE": "celery"}):
        run, told = talk(ada.tools, lambda client: started(client, definition=SHORT, wait_seconds=50))
        assert run["status"] == "completed" and run == ada.get(f"runs/{run['workflow_id']}/")
        assert told and [done for done, _ in told] == sorted({done for done, _ in told})
        assert any("of 2 steps" in message for _, message in told)
        gated, _ = talk(ada.tools, lambda client: started(client, definition=GATED, workflow_id="g-1", wait_seconds=50))
        assert gated["status"] == "waiting" and Request.objects.get().about == "g-1"
        assert stands_still(gated)


def test_it_waits_no_longer_than_it_was_told_to(person: Callable[..., Person]) -> None:
    ada = person("operator", "ada")
    run, told = talk(ada.tools, lambda client: started(client, definition=SHORT, wait_seconds=1))
    assert run["finished_at"] is None and len(told) == 1 and not stands_still(run)
    (wrong,) = problems(ada.tools, "start_saga", definition=SHORT, wait_seconds=51)
    assert wrong["problem"] == "Ensure this value is less than or equal to 50.0."
