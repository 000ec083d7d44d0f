"""An act that a workflow took and nobody came to note is heard once, whatever becomes of the run meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from pytest_django import Settings

from orchestration.core.enums import Verb
from orchestration.engines.temporal import delivery
from orchestration.models import Event, Message, Run
from orchestration.runs.acts import act
from orchestration.runs.delivery import deliver
from orchestration.workers.temporal.worker import hosted
from tests.support.peer import Peer, serving
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peer(settings: Settings, temporal_dev_server: str, transactional_db: None) -> Iterator[Peer]:
    settings.TEMPORAL_HISTORY_LIMIT = 12
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, f"lost-{uuid.uuid4().hex[:6]}"
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running


def lost(run: Run, verb: Verb, step_id: str = "") -> Message:
    """An act that was taken, and whose noting was lost: put off for long, so that no relay sends it before the test."""

    def breaks(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as cut:
        cut.setattr(delivery, "delivered", breaks)
        with pytest.raises(OperationalError):
            act(workflow_id=run.workflow_id, verb=verb, step_id=step_id, actor=ADA)
    message = run.messages.get(delivered_at=None)
    Message.objects.filter(pk=message.pk).update(retry_at="2100-01-01T00:00:00Z")
    return message


def times(run: Run, kind: str) -> int:
    return Event.objects.filter(run=run, kind=kind).count()


def held(peer: Peer) -> Run:
    pause = {"step_id": "w", "dependencies": ["a"], "forward_action": {"type": "wait", "seconds": 1}}
    run = start(peer, "temporal", step("a", []), pause, step("c", ["w"]))
    until(run, lambda run: run.status == "waiting")
    return run


def noted(message: Message) -> str:
    answer = deliver(message)
    message.refresh_from_db()
    assert message.delivered_at is not None
    return answer


def test_a_hold_is_no_refusal_of_an_ended_run_and_is_not_heard_again_by_one_that_goes_on(peer: Peer) -> None:
    with hosted():
        run = held(peer)
        message = lost(run, Verb.HOLD)
        act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA)
        until(run, lambda run: run.status == "completed")
        act(workflow_id=run.workflow_id, verb=Verb.RERUN, step_id="w", actor=ADA)
        assert noted(message) == ""
        until(run, lambda run: run.status == "completed")
    assert times(run, "act.hold") == 1


def test_a_hold_that_was_taken_is_noted_so_when_its_run_has_ended(peer: Peer) -> None:
    with hosted():
        run = held(peer)
        message = lost(run, Verb.HOLD)
        act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ADA)
        until(run, lambda run: run.status == "completed")
        assert noted(message) == ""


def test_a_rerun_is_not_done_twice(peer: Peer) -> None:
    with hosted():
        run = held(peer)
        act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA)
        until(run, lambda run: run.status == "held")
        message = lost(run, Verb.RERUN, "a")
        until(run, lambda run: run.status == "completed")
        assert noted(message) == ""
        until(run, lambda run: run.status == "completed")
    assert times(run, "act.rerun") == 1
