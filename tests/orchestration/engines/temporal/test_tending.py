"""The workflow that keeps an approval's time hears of every change, whatever was lost while it was begun."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory

from approvals.models import Request
from approvals.requests import Ask, ask
from foundation.errors import Unreachable
from orchestration.engines.base import Reach
from orchestration.engines.registry import ENGINES
from orchestration.engines.temporal import connection, schedule_wake
from orchestration.models import Run
from orchestration.runs.relay import relay
from orchestration.workers.temporal.worker import hosted
from tests.approvals.requests.test_lost_workflows import status_of
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bob(transactional_db: None) -> None:
    account("bob")


def has_rung(request: Request) -> bool:
    """Whether its workflow has asked when to ring next, and sleeps."""

    async def history() -> WorkflowHistory:
        return await (await connection.client()).get_workflow_handle(request.request_id).fetch_history()

    events = connection.call(history()).events
    return any(event.HasField("activity_task_completed_event_attributes") for event in events)


def opened() -> Request:
    return ask(given=Ask(stage="s", approvers=("bob",)), actor=ADA, engine="temporal")[0]


class Server:
    """It answers, or it does what it is asked and its answer is lost."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.begun = False
        self.answers = True
        self.meanwhile: Callable[[Run], object] | None = None

    def started(self, run: Run) -> bool:
        there, self.begun = self.begun, True
        self.calls.append("told of it" if there else "started")
        if self.meanwhile:
            then, self.meanwhile = self.meanwhile, None
            then(run)
        if not self.answers:
            raise Unreachable("the answer was lost", field="engine")
        return not there

    def told(self, _: Run) -> bool:
        self.calls.append("told")
        return self.begun


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    there = Server()
    monkeypatch.setattr(ENGINES["temporal"], "reach", lambda: Reach(ok=True))
    monkeypatch.setattr(schedule_wake, "_started", there.started)
    monkeypatch.setattr(schedule_wake, "_told", there.told)
    return there


def test_a_decision_after_a_start_whose_answer_was_lost_is_told(server: Server) -> None:
    server.answers = False
    request = opened()
    server.answers = True
    says("bob", "approve", request)
    assert server.calls == ["started"] and not Run.objects.get().handed_over
    relay()
    assert server.calls == ["started", "told"] and Run.objects.get().handed_over


def test_a_workflow_that_was_begun_before_is_told(server: Server) -> None:
    server.begun = True
    opened()
    assert server.calls == ["told of it", "told"] and Run.objects.get().handed_over


def test_a_decision_while_the_workflow_is_begun_is_told(server: Server) -> None:
    server.meanwhile = lambda run: says("bob", "approve", run.workflow_id)
    opened()
    assert server.calls == ["started", "told"] and Run.objects.get().handed_over


def test_what_goes_well_costs_one_call(server: Server) -> None:
    opened()
    assert server.calls == ["started"] and Run.objects.get().handed_over


def test_a_real_workflow_that_nobody_noted_ends_with_its_approval(
    settings: Settings, temporal_dev_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, "tending"
    real = schedule_wake._started

    def lost(run: Run) -> bool:
        real(run)
        raise Unreachable("the answer was lost", field="engine")

    with monkeypatch.context() as losing:
        losing.setattr(schedule_wake, "_started", lost)
        request = opened()
        with hosted():
            until(request.run, lambda _: has_rung(request))
    says("bob", "approve", request)
    assert not Run.objects.get().handed_over
    with hosted():
        until(request.run, lambda _: status_of(request) is WorkflowExecutionStatus.COMPLETED)
    assert Run.objects.get().handed_over
