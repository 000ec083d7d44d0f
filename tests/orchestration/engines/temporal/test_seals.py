"""Whoever may write to the Temporal namespace cannot act on a run: every door of its workflow asks for our seal."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from datetime import UTC, datetime

import pytest
from pytest_django import Settings
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.worker import Worker

from foundation.clock import now
from foundation.errors import Unreachable
from foundation.models import AuditEvent
from orchestration.core.enums import Outcome, Purpose, Verb
from orchestration.core.saga.codec import EVENT, PLAN, STATE
from orchestration.core.saga.events import (
    ActionEnded,
    Event,
    ForceStopRequested,
    HandlerOverdue,
    HoldRequested,
    LookAgain,
    RunStarted,
)
from orchestration.core.saga.state import SagaState
from orchestration.engines.temporal import connection, seals
from orchestration.engines.temporal.dto import DELIVER, Deliver, Start
from orchestration.ledger.run_end import post
from orchestration.models import Run
from orchestration.runs import act
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from orchestration.workers.temporal.worker import hosted
from tests.orchestration.core.saga_world import make_plan
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FORCE_STOP = ForceStopRequested(at=NOON, by="admin")
FORGED: list[Event] = [
    FORCE_STOP,
    HoldRequested(at=NOON, by="admin"),
    LookAgain(at=NOON, step_id="a", iteration=1),
    HandlerOverdue(at=NOON, step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, error="late"),
    ActionEnded(
        at=NOON, step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, outcome=Outcome.SUCCEEDED
    ),
]  # fmt: skip


def tell(run: Run, told: Deliver, message_id: str = "") -> None:
    async def send() -> None:
        handle = (await connection.client()).get_workflow_handle(run.workflow_id)
        await handle.execute_update(DELIVER, told, id=message_id or str(uuid.uuid4()), result_type=str)

    connection.call(send(), seconds=30)


def text_of(event: Event) -> str:
    return EVENT.dump_json(event).decode()


@pytest.mark.django_db(transaction=True)
def test_what_was_not_stored_is_refused_and_what_was_is_taken(run: Run) -> None:
    with hosted():
        until(run, lambda run: run.status == "waiting")
        log = run.events.count()
        for event in FORGED:
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                tell(run, Deliver(event=text_of(event)))
            assert "no stored message" in str(caught.value.cause)
        assert run.events.count() == log
        act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="n")
        until(run, lambda run: run.status == "held")
    assert not AuditEvent.objects.filter(action__contains="force").exists()


@pytest.mark.django_db(transaction=True)
def test_a_seal_is_good_for_its_message_and_its_run_only(run: Run) -> None:
    text = text_of(FORCE_STOP)
    good = seals.delivery(run.workflow_id, "one", text)
    with hosted():
        until(run, lambda run: run.status == "waiting")
        for told, name in (
            (good, "another"),
            (dataclasses.replace(good, event=text.replace("admin", "eve")), "one"),
            (seals.delivery("another-run", "one", text), "one"),
            (dataclasses.replace(good, seal="\N{SNOWMAN}"), "one"),
        ):
            with pytest.raises(WorkflowUpdateFailedError):
                tell(run, told, name)
        until(run, lambda run: run.status == "waiting")


@pytest.mark.django_db(transaction=True)
def test_a_process_with_another_key_keeps_its_message_stored(run: Run, settings: Settings) -> None:
    from orchestration.runs.delivery import deliver

    with hosted():
        until(run, lambda run: run.status == "waiting")
        message = post(run, HoldRequested(at=now(), by="ada"))
        told = seals.delivery(run.workflow_id, message.message_id, text_of(EVENT.validate_python(message.event)))
        assert told.seal
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(seals, "delivery", lambda *_: dataclasses.replace(told, seal="0" * 64))
            with pytest.raises(Unreachable, match="takes no message") as caught:
                deliver(message)
        assert "ZEN_SECRET_KEY" in caught.value.remedy
        assert run.messages.get().delivered_at is None
        until(run, lambda run: run.status == "held")  # the worker's relay, which has the key, delivers it


def test_a_key_that_was_replaced_still_counts(settings: Settings) -> None:
    told = seals.delivery("r", "m", "{}")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key, which is long enough for the checks"
    assert seals.is_ours("r", "m", told)
    settings.SECRET_KEY_FALLBACKS = []
    assert not seals.is_ours("r", "m", told)


def begun(address: str, start: Start) -> list[HistoryEvent]:
    """What it came to by the time that its first task was refused."""

    async def run_it() -> list[HistoryEvent]:
        client, queue = await Client.connect(address), f"seals-{uuid.uuid4().hex}"
        async with Worker(client, task_queue=queue, workflows=[SagaWorkflow]):
            handle = await client.start_workflow(SagaWorkflow.run, start, id=start.workflow_id, task_queue=queue)
            found: list[HistoryEvent] = []
            async for event in handle.fetch_history_events(wait_new_event=True):
                found.append(event)
                if event.HasField("workflow_task_failed_event_attributes"):
                    break
            await handle.terminate()
        return found

    return asyncio.run(asyncio.wait_for(run_it(), PATIENCE_SECONDS))


@pytest.mark.parametrize("forged", ["state", "event", "other run", "changed"])
def test_a_workflow_that_somebody_else_starts_does_nothing(temporal_dev_server: str, forged: str) -> None:
    name = f"saga-{uuid.uuid4().hex}"
    plan = PLAN.dump_json(make_plan({"a": ()})).decode()
    state = STATE.dump_json(SagaState(workflow_id=name)).decode()
    start = Start(workflow_id=name, run_pk=1, plan=plan, event=text_of(RunStarted(at=NOON)))
    if forged == "state":
        start = dataclasses.replace(start, state=state)
    elif forged == "event":
        start = dataclasses.replace(start, state=state, event=text_of(FORCE_STOP), took="m")
    elif forged == "other run":
        start = dataclasses.replace(seals.sealed(dataclasses.replace(start, workflow_id="another")), workflow_id=name)
    else:
        start = dataclasses.replace(seals.sealed(start), run_pk=2)
    events = begun(temporal_dev_server, start)
    assert "no process of this site" in events[-1].workflow_task_failed_event_attributes.failure.message
    assert not any(event.HasField("activity_task_scheduled_event_attributes") for event in events)
