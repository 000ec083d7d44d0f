"""An act that a workflow refuses while the rows would take it is sent again: the workflow may lag behind them."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from orchestration.engines.temporal import connection, delivery
from orchestration.engines.temporal.dto import Taken
from orchestration.ledger.inbox import store_once
from orchestration.models import Message, Run
from orchestration.runs import start_run
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


class Workflow:
    """Refuses so many times, then takes what it is told."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.told = refusals, 0

    def call(self, work: Coroutine[Any, Any, Any], *, seconds: float = 0) -> None:
        work.close()
        self.told += 1
        if self.told <= self.refusals:
            raise WorkflowUpdateFailedError(ApplicationError("the run is running", type="Refused"))


def waiting_run() -> Run:
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 60}}]
    return start_run(definition={"saga_id": "s", "steps": steps}, actor=ADA, engine="celery")[0]


def message(run: Run, kind: str, **more: object) -> Message:
    event = {"kind": kind, "at": "2026-01-01T00:00:00Z", "by": "ada", **more}
    return store_once(run, event, message_id=f"m:{kind}")


@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_what_the_rows_would_take_is_sent_again(monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    monkeypatch.setattr(delivery, "LAGS", (0.0, 0.0, 0.0))
    workflow, run = Workflow(refusals), waiting_run()
    monkeypatch.setattr(connection, "call", workflow.call)
    taken = Taken(execution="it", heard=1)
    monkeypatch.setattr(delivery, "_who_took", lambda *_: taken)
    assert delivery._update(run, message(run, "hold_requested")) == delivery.Answer(taken=taken)
    assert workflow.told == refusals + 1


def test_a_refusal_that_stays_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "LAGS", (0.0, 0.0, 0.0))
    workflow, run = Workflow(10), waiting_run()
    monkeypatch.setattr(connection, "call", workflow.call)
    assert delivery._update(run, message(run, "hold_requested")) == delivery.Answer("Refused: the run is running")
    assert workflow.told == 4


def test_what_the_rows_refuse_as_well_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow, run = Workflow(10), waiting_run()
    monkeypatch.setattr(connection, "call", workflow.call)
    rerun = message(run, "rerun_requested", step_id="a")
    assert delivery._update(run, rerun) == delivery.Answer("Refused: the run is running")
    assert workflow.told == 1
