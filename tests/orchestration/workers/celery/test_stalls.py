"""A worker that stood still between its claim and its call makes no call that another worker may be making."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from foundation.clock import now
from orchestration.execution import attempt, claim_check
from orchestration.models import Command, Run, Worker
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.celery import worker
from orchestration.workers.celery.exchange import exchange
from tests.support.peer import Peer, serving
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def claimed(peer: Peer, settings: Settings, ago: float) -> tuple[Run, Command]:
    settings.ZEN_OUTBOUND_ALLOW, settings.ZEN_WORKER_LEASE_SECONDS = (peer.address,), 6
    act = {"type": "api_call", "url": f"{peer.url}/things/a", "method": "POST"}
    steps = [{"step_id": "a", "forward_action": act, "retry_count": 0}]
    run, _ = start_run(definition={"saga_id": "stalls", "steps": steps}, actor=ADA, engine="celery")
    lease.renew(lease.worker_name())
    row = exchange(lease.worker_name(), None)
    assert row is not None and row.started_at is not None
    row.started_at -= timedelta(seconds=ago)
    return run, row


@pytest.mark.parametrize("lost", ["lease", "row", "claim"])
def test_what_another_may_have_by_now_is_not_called(settings: Settings, lost: str) -> None:
    with serving() as peer:
        run, row = claimed(peer, settings, 10)
        if lost == "lease":
            Worker.objects.update(lease_until=now() - timedelta(seconds=1))
        elif lost == "row":
            Worker.objects.all().delete()
        else:
            Command.objects.filter(pk=row.pk).update(epoch=row.epoch + 1, worker="another")
        with pytest.raises(claim_check.TakenOver):
            attempt.perform_attempt(run, row)
        assert worker.perform(row) is None and peer.calls == []
    status = {"lease": Command.READY, "row": Command.READY, "claim": Command.RUNNING}[lost]
    now_is = Command.objects.get(pk=row.pk)
    assert now_is.status == status and now_is.tries == (1 if lost == "claim" else 0), "nobody acted on that claim"


@pytest.mark.parametrize("ago", [0, 10])
def test_what_is_ours_still_is(settings: Settings, ago: float) -> None:
    with serving() as peer:
        row = claimed(peer, settings, ago)[1]
        assert worker.perform(row) is not None and len(peer.calls) == 1
