"""Rows of workers that are gone."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from foundation.clock import now
from orchestration.core.enums import Purpose
from orchestration.core.saga.commands import RunAction
from orchestration.models import Command, Worker
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.temporal.attempts import claim
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_dead_worker_of_temporal_is_seen_for_a_week() -> None:
    for name, engine, ago in [
        ("alive", "temporal", timedelta(seconds=-5)), ("dead", "temporal", timedelta(days=6)),
        ("long gone", "temporal", timedelta(days=8)), ("gone", "celery", timedelta(minutes=1)),
    ]:  # fmt: skip
        Worker.objects.create(name=name, engine=engine, started_at=now(), lease_until=now() - ago)
    lease.free_the_lost()
    assert set(Worker.objects.values_list("name", flat=True)) == {"alive", "dead"}


@pytest.mark.both_databases
@pytest.mark.parametrize(("ago", "freed"), [(-1, 0), (1, 0), (3, 1)])
def test_a_worker_that_was_silent_for_less_than_a_whole_lease_keeps_what_it_has(
    settings: Settings, ago: float, freed: int
) -> None:
    """It renews each third: cut off for five of six seconds, it comes back to a lease that ended a second ago."""
    settings.ZEN_WORKER_LEASE_SECONDS = 6
    Worker.objects.create(name="w", engine="celery", started_at=now(), lease_until=now() - timedelta(seconds=ago))
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]
    run, _ = start_run(definition={"saga_id": "s", "steps": steps}, actor=ADA, engine="celery")
    Command.objects.create(
        run=run, kind="run_action", step_id="b", attempt=1, due_at=now(), status=Command.RUNNING, worker="w"
    )
    assert lease.free_the_lost() == freed


@pytest.mark.only_on("postgresql")
def test_an_end_that_is_being_written_stays_and_holds_up_no_other(settings: Settings) -> None:
    settings.ZEN_WORKER_LEASE_SECONDS = 6
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]
    run, _ = start_run(definition={"saga_id": "s", "steps": steps}, actor=ADA, engine="celery")
    fields = {"run": run, "kind": "run_action", "attempt": 1, "due_at": now(), "status": Command.RUNNING}
    ending, other = (Command.objects.create(step_id=name, worker=name, **fields) for name in ("b", "c"))
    freed: list[int] = []

    def sweep() -> None:
        try:
            freed.append(lease.free_the_lost())
        finally:
            connection.close()

    with transaction.atomic():
        Command.objects.filter(pk=ending.pk).update(status=Command.DONE)
        sweeping = Thread(target=sweep)
        sweeping.start()
        wait_until(lambda: freed, "the sweep waits for a transaction that stands still")
    sweeping.join(PATIENCE_SECONDS)
    for row, status in ((ending, Command.DONE), (other, Command.READY)):
        row.refresh_from_db()
        assert row.status == status
    assert freed == [1] and lease.free_the_lost() == 0


@pytest.mark.both_databases
def test_claims_of_one_try_on_temporal_whose_commit_was_not_answered_are_one_try() -> None:
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]
    run, _ = start_run(definition={"saga_id": "s", "steps": steps}, actor=ADA, engine="celery")
    order = RunAction(step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1)
    given: list[int] = []
    for number in range(9):
        row = claim(run, order, given=given)
        assert row is not None and (row.tries, row.epoch) == (1, number + 1)
        given.append(row.epoch)
    another = claim(run, order)
    assert another is not None and another.tries == 2, "another try of this worker"
    Command.objects.filter(pk=another.pk).update(worker="a worker that is gone")
    taken = claim(run, order, given=[another.epoch])
    assert taken is not None and taken.tries == 3


@pytest.mark.both_databases
def test_a_claim_that_was_rolled_back_leaves_the_try_before_it_a_try_of_its_own() -> None:
    """The one before, of the same worker, has sent something: this one asks the probe first."""
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]
    run, _ = start_run(definition={"saga_id": "s", "steps": steps}, actor=ADA, engine="celery")
    order = RunAction(step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1)
    sent = claim(run, order)
    assert sent is not None and sent.tries == 1
    given: list[int] = []
    with suppress(ConnectionError), transaction.atomic():
        lost = claim(run, order)
        assert lost is not None
        given.append(lost.epoch)
        raise ConnectionError("at COMMIT")
    again = claim(run, order, given=given)
    assert again is not None and (again.tries, again.epoch) == (2, 2)
