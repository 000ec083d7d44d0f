"""Whose handler goes on: the claim's that was told so, while its worker lives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from foundation.clock import now
from orchestration.core.enums import Purpose
from orchestration.core.saga.commands import RunAction
from orchestration.ledger.late_handlers import note, told_at
from orchestration.ledger.live_workers import OF_TEMPORAL
from orchestration.models import Command, Run, Worker
from orchestration.runs import start_run
from orchestration.workers.lease import worker_name
from orchestration.workers.temporal.attempts import claim
from orchestration.workers.temporal.orders import refuse_beside
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
DO_A = RunAction(step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1)


@pytest.fixture
def run() -> Run:
    """Of Temporal, which is not asked here."""
    action = {"type": "task", "handler": "x.y"}
    run, _ = start_run(
        definition={"saga_id": "g", "steps": [{"step_id": "a", "forward_action": action}]}, actor=ADA, engine="celery"
    )
    Run.objects.filter(pk=run.pk).update(engine="temporal")
    Command.objects.filter(run=run).delete()
    return Run.objects.get(pk=run.pk)


def elsewhere(run: Run) -> Command:
    """The attempt, in the hand of another worker, which lives."""
    row = claim(run, DO_A)
    assert row is not None
    Worker.objects.create(
        name="other" + OF_TEMPORAL, engine="temporal", started_at=now(), lease_until=now() + timedelta(hours=1)
    )
    Command.objects.filter(pk=row.pk).update(worker="other")
    return Command.objects.get(pk=row.pk)


def test_another_worker_does_not_begin_it_while_its_worker_lives(run: Run) -> None:
    row = elsewhere(run)
    refuse_beside(run, DO_A)  # in flight, and not told to stop: the engine's own rules hold
    assert note(run, row, False)
    assert told_at(Command.objects.get(pk=row.pk)) is not None
    with pytest.raises(ApplicationError, match="handler of attempt 1 in worker other .* is not begun beside it"):
        refuse_beside(run, DO_A)


def test_another_worker_goes_on_when_its_worker_is_gone(run: Run) -> None:
    row = elsewhere(run)
    note(run, row, False)
    Worker.objects.update(lease_until=now() - timedelta(seconds=1))
    assert told_at(Command.objects.get(pk=row.pk)) is None
    refuse_beside(run, DO_A)
    again = claim(run, DO_A)
    assert again is not None and again.worker == worker_name() and again.epoch == row.epoch + 1


def test_what_was_noted_of_an_earlier_claim_says_nothing_of_the_next(run: Run) -> None:
    row = elsewhere(run)
    note(run, row, False)
    claim(run, DO_A)
    Worker.objects.create(
        name=worker_name() + OF_TEMPORAL, engine="temporal", started_at=now(), lease_until=now() + timedelta(hours=1)
    )
    found = Command.objects.get(pk=row.pk)
    assert found.detail and told_at(found) is None
    note(run, row, False)  # of the lost claim, and so of nobody's
    assert told_at(Command.objects.get(pk=row.pk)) is None


def test_its_run_is_told_once_for_each_claim(run: Run) -> None:
    row = elsewhere(run)
    assert note(run, row, True) and note(run, row, True)
    (message,) = run.messages.all()
    assert message.event["kind"] == "handler_overdue" and "was told to stop" in message.event["error"]
