"""A workflow that keeps an approval's time is lost: its clock speaks all the same, and it is started anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings
from temporalio.client import WorkflowExecutionStatus

from approvals.models import Request
from approvals.requests import Ask, ask, publish_policy
from approvals.requests.state.reconcile import reconcile
from foundation.clock import now
from orchestration.engines.temporal import connection
from orchestration.workers.temporal.worker import hosted
from tests.approvals.requests.test_reconcile import shifted
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import whole

pytestmark = [pytest.mark.django_db(transaction=True)]
STAGE = {
    "name": "s",
    "who": {"users": ["bob"]},
    "expire": "2h",
    "escalate": [{"after": "1h", "to": {"users": ["dora"]}, "authority": "add"}],
}


@pytest.fixture
def temporal(temporal_dev_server: str, settings: Settings) -> Iterator[None]:
    settings.TEMPORAL_ADDRESS = temporal_dev_server
    settings.TEMPORAL_TASK_QUEUE = "lost-workflows"
    with hosted():
        yield


def status_of(request: Request) -> WorkflowExecutionStatus | None:
    async def ask_for_it() -> WorkflowExecutionStatus | None:
        client = await connection.client()
        return (await client.get_workflow_handle(request.request_id).describe()).status

    return connection.call(ask_for_it())


def lose(request: Request) -> None:
    async def terminate() -> None:
        client = await connection.client()
        await client.get_workflow_handle(request.request_id).terminate("lost")

    connection.call(terminate())


def test_a_lost_workflow_is_tended_again(temporal: None) -> None:
    publish_policy(data={"policy": "p", "stages": [STAGE]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="temporal")
    until(request.run, lambda run: run.handed_over)
    lose(request)
    assert reconcile() == 0, "while nothing is due nothing is missed"
    Request.objects.update(next_at=now() - timedelta(minutes=1), state=shifted(request))
    assert [reconcile(), reconcile()] == [1, 0]
    assert status_of(request) is WorkflowExecutionStatus.RUNNING
    request = whole(request)
    assert {seat.user for seat in request.seats.all()} == {account("bob"), account("dora")}
    says("dora", "approve", request)
    until(request.run, lambda _: status_of(request) is WorkflowExecutionStatus.COMPLETED)
    assert whole(request).status == "approved"
