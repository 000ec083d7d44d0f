"""Workers die, meet each other and meet slow receivers: nothing is lost, and no claim is held twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from approvals import tasks
from foundation.clock import now
from foundation.outbound import transport
from notifications.models import Callback
from notifications.webhooks import deliver_due
from notifications.webhooks.claim import claim, store_end
from notifications.webhooks.schedule import ATTEMPTS
from notifications.webhooks.send import Reply
from tests.notifications.webhooks.scenes import PATH, attempted, endpoint_at, queued
from tests.notifications.webhooks.tls import behind_tls
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.crash.workers import ROOT, worker

pytestmark = pytest.mark.django_db(transaction=True)
DELIVER = "from notifications.webhooks import deliver_due; deliver_due()"


def lease_over() -> None:
    """As if the minute of the claims had passed."""
    Callback.objects.filter(status=Callback.SENDING).update(lease_until=now() - timedelta(seconds=1))


@pytest.mark.crash
@pytest.mark.both_databases
def test_a_worker_killed_in_the_middle_is_replaced(receiver: Peer, process_env: dict[str, str]) -> None:
    callback = queued(endpoint_at(receiver))
    receiver.delay[PATH] = 30
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", DELIVER]
    env = process_env | {"ZEN_OUTBOUND_ALLOW": receiver.address}
    sender = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        wait_for(lambda: bool(receiver.seen), sender)
    finally:
        os.killpg(sender.pid, signal.SIGKILL)
        sender.wait(PATIENCE_SECONDS)
    callback.refresh_from_db()
    assert (callback.status, callback.attempts) == ("sending", 1)
    receiver.delay.clear()
    assert deliver_due() == 0, "the claim of the lost worker still holds"
    lease_over()
    assert deliver_due() == 1
    callback.refresh_from_db()
    assert (callback.status, callback.attempts) == ("delivered", 2)
    assert [request.headers["webhook-id"] for request in receiver.seen] == [callback.webhook_id] * 2


def wait_for(fact: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: process.poll() is not None or fact(), "what the process is to do")
    assert process.poll() is None


@pytest.mark.slow
def test_a_celery_worker_delivers_by_its_beat(receiver: Peer, process_env: dict[str, str]) -> None:
    callback = queued(endpoint_at(receiver))
    env = process_env | {"ZEN_OUTBOUND_ALLOW": receiver.address, "ZEN_LOG_LEVEL": "warning"}
    with worker(env) as started:
        wait_for(lambda: Callback.objects.get().status == Callback.DELIVERED, started.process)
    assert [request.headers["webhook-id"] for request in receiver.seen] == [callback.webhook_id]


@pytest.mark.both_databases
def test_sweepers_at_once_send_each_callback_once(receiver: Peer) -> None:
    endpoints = [endpoint_at(receiver, f"/hook/{number}") for number in range(6)]
    rows = [queued(endpoint, f"approval:{number}") for number in range(4) for endpoint in endpoints]
    together = threading.Barrier(3)

    def sweep(_: int) -> int:
        try:
            together.wait(PATIENCE_SECONDS)
            done = 0
            while Callback.objects.exclude(status=Callback.DELIVERED).exists():
                done += deliver_due()
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(sweep, range(3))) == len(rows)
    sent = [request.headers["webhook-id"] for request in receiver.seen]
    assert sorted(sent) == sorted(row.webhook_id for row in rows)


def test_the_end_of_a_claim_that_was_lost_does_not_count(receiver: Peer) -> None:
    callback = queued(endpoint_at(receiver))
    (first,) = claim(1)
    lease_over()
    (second,) = claim(1)
    assert second.epoch == first.epoch + 1
    assert not store_end(first, Reply(status=500, error="late"))
    assert store_end(second, Reply(status=200))
    callback.refresh_from_db()
    assert (callback.status, callback.last_error) == ("delivered", "")


def test_a_worker_that_is_lost_in_the_last_attempt_leaves_it_dead(receiver: Peer) -> None:
    queued(endpoint_at(receiver))
    Callback.objects.update(attempts=ATTEMPTS - 1)
    assert len(claim(1)) == 1
    lease_over()
    assert deliver_due() == 0
    callback = Callback.objects.get()
    assert callback.status == "dead" and "may have been delivered" in callback.last_error


def test_a_slow_receiver_holds_up_no_other(receiver: Peer) -> None:
    slow, quick = endpoint_at(receiver, "/slow"), endpoint_at(receiver, "/quick")
    receiver.delay["/slow"] = 2.0
    for _ in range(3):
        queued(slow, "slow")
        queued(quick, "quick")
    assert deliver_due() == 6
    order = [path for _, path, _ in receiver.calls]
    second_slow = [number for number, path in enumerate(order) if path == "/slow"][1]
    assert order[:second_slow].count("/quick") == 3, order
    assert receiver.most_at_once == 2, "one at a time for each endpoint"
    sequences = list(
        Callback.objects.filter(subject="slow").order_by("delivered_at").values_list("sequence", flat=True)
    )
    assert len(sequences) == 3 and sequences == sorted(sequences)


def test_a_limit_is_kept(receiver: Peer) -> None:
    for number in range(5):
        queued(endpoint_at(receiver, f"/hook/{number}"))
    assert [deliver_due(limit=2), deliver_due(limit=2), deliver_due(limit=2)] == [2, 2, 1]


def test_a_process_sends_from_one_of_its_threads_at_a_time(receiver: Peer) -> None:
    queued(endpoint_at(receiver))
    receiver.hold("POST", PATH)

    def sweep() -> int:
        try:
            return int(tasks.callbacks())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sweep)
        wait_until(lambda: receiver.seen, "a callback that is being sent")
        queued(endpoint_at(receiver, "/other"))
        assert tasks.callbacks() == 0
        receiver.let_go()
        assert first.result(PATIENCE_SECONDS) >= 1


def test_a_certificate_that_nobody_vouches_for_is_refused(settings: Settings, tmp_path: Path) -> None:
    with behind_tls(tmp_path) as (peer, _):
        settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
        callback = attempted(queued(endpoint_at(peer)))
        assert callback.status == "queued" and "certificate" in callback.last_error.lower()
        assert not peer.seen
    transport.close()


def test_https_is_spoken_with_whom_the_machine_trusts(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_tls(tmp_path) as (peer, certificate):
        settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        transport.close()
        assert attempted(queued(endpoint_at(peer))).status == "delivered"
        assert len(peer.seen) == 1
    transport.close()
