"""Workers meet each other, die, and meet those who write: nothing is lost, and nothing goes twice without need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import DataError, OperationalError, connection, transaction
from pytest_django import Settings

from foundation import nudge
from foundation.clock import now
from notifications import tasks
from notifications.channels.envelope import Envelope, Outcome
from notifications.delivery.claim import claim
from notifications.delivery.envelopes import envelope_of
from notifications.delivery.outcome import store_end
from notifications.delivery.worker import deliver_due
from notifications.message import Message
from notifications.models import Delivery, Notice
from notifications.services import supersede
from tests.notifications.mail_server import Mailbox
from tests.notifications.scenes import (
    asked,
    lease_over,
    make_due,
    only,
    slack_channel,
    slack_people,
    statuses,
    user,
    webhook,
)
from tests.notifications.slack_api import SlackApi, buttons_of
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.crash.workers import ROOT, worker

pytestmark = pytest.mark.django_db(transaction=True)
DELIVER = "from notifications.delivery.worker import deliver_due; deliver_due()"
DONE = Message(title="Approved by Bob", text="")
T = TypeVar("T")


def closing(work: Callable[[], T]) -> T:
    """In a thread of its own, whose connection nobody else would close."""
    try:
        return work()
    finally:
        connection.close()


def wait_for(fact: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: process.poll() is not None or fact(), "what the process is to do")
    assert process.poll() is None


def test_an_end_that_cannot_be_stored_takes_no_other_along(
    receiver: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked(channels=[webhook(receiver, f"c{number}").name for number in range(4)])
    first = Delivery.objects.order_by("pk")[0]

    def stored(row: Delivery, outcome: Outcome) -> bool:
        if row.pk == first.pk:
            raise DataError("value too long")
        return store_end(row, outcome)

    monkeypatch.setattr("notifications.delivery.worker.store_end", stored)
    assert deliver_due() == 4
    assert statuses() == ["sending", "sent", "sent", "sent"] and "value too long" in caplog.text
    monkeypatch.undo()
    lease_over()
    assert deliver_due() == 1 and len(receiver.seen) == 5


def test_a_row_that_cannot_be_put_together_takes_no_other_along(
    receiver: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(channels=[webhook(receiver, f"c{number}").name for number in range(4)])
    first = Delivery.objects.order_by("pk")[0]

    def made(row: Delivery) -> Envelope | None:
        if row.pk == first.pk:
            raise KeyError("label")
        return envelope_of(row)

    monkeypatch.setattr("notifications.delivery.worker.envelope_of", made)
    deliver_due()
    assert statuses() == ["queued", "sent", "sent", "sent"]
    first.refresh_from_db()
    assert (first.attempts, first.error) == (1, "KeyError: 'label'") and first.due_at > now()


def test_what_was_sent_when_the_database_goes_away_is_written_down(
    receiver: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(channels=[webhook(receiver, f"c{number}").name for number in range(3)])
    times = iter(range(9))

    def claimed(most: int) -> list[Delivery]:
        if next(times):
            raise OperationalError("the server closed the connection")
        return claim(most)

    monkeypatch.setattr("notifications.delivery.worker.claim", claimed)
    with pytest.raises(OperationalError):
        deliver_due()
    assert statuses() == ["sent"] * 3


@pytest.mark.both_databases
def test_sweepers_at_once_send_each_delivery_once(receiver: Peer) -> None:
    names = [webhook(receiver, f"c{number}").name for number in range(5)]
    for n in range(8):
        asked(channels=names, n=n)
    together = threading.Barrier(3)

    def sweep() -> int:
        together.wait(PATIENCE_SECONDS)
        done = 0
        while Delivery.objects.exclude(status=Delivery.SENT).exists():
            done += deliver_due()
        return done

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(closing, [sweep] * 3)) == 40
    assert Counter(request.path for request in receiver.seen) == {f"/c{number}": 8 for number in range(5)}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.both_databases
def test_bursts_are_put_together_once_by_sweepers_at_once(mailbox: Mailbox, settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 20
    people = [user(f"p{number}") for number in range(4)]
    for n in range(6):
        asked(*people, subject=f"approval:{n}")
    together = threading.Barrier(3)

    def sweep() -> int:
        together.wait(PATIENCE_SECONDS)
        return deliver_due()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(closing, [sweep] * 3))
    make_due()
    deliver_due()
    assert set(statuses()) <= {"sent", "coalesced"}
    told = Delivery.objects.filter(into__isnull=False).count() + Delivery.objects.filter(status="sent").count()
    assert told == 24 and Delivery.objects.filter(status="sent").count() == len(mailbox.mails)
    assert not Delivery.objects.filter(into__status="coalesced").exists(), "nothing travels inside what travels itself"


@pytest.mark.both_databases
def test_the_same_key_told_by_two_at_once_is_told_once() -> None:
    ada = user()
    together = threading.Barrier(2)

    def say() -> Notice:
        together.wait(PATIENCE_SECONDS)
        return asked(ada)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(closing, [say] * 2)
    assert first == second and Delivery.objects.count() == 1


@pytest.mark.crash
@pytest.mark.both_databases
def test_a_worker_killed_in_the_middle_is_replaced_once(receiver: Peer, process_env: dict[str, str]) -> None:
    webhook(receiver)
    asked(channels=["webhook://ops"])
    receiver.delay["/ops"] = 30
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", DELIVER]
    env = process_env | {"ZEN_OUTBOUND_ALLOW": receiver.address}
    sender = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        wait_for(lambda: bool(receiver.seen), sender)
    finally:
        os.killpg(sender.pid, signal.SIGKILL)
        sender.wait(PATIENCE_SECONDS)
    assert (only().status, only().attempts) == ("sending", 1)
    receiver.delay.clear()
    assert deliver_due() == 0, "the claim of the lost worker still holds"
    lease_over()
    assert deliver_due() == 1
    assert deliver_due() == 0
    assert (only().status, only().attempts, len(receiver.seen)) == ("sent", 2, 2)


@pytest.mark.both_databases
def test_the_end_of_a_claim_that_was_lost_does_not_count(receiver: Peer) -> None:
    webhook(receiver)
    asked(channels=["webhook://ops"])
    (first,) = claim(1)
    lease_over()
    (second,) = claim(1)
    assert second.epoch == first.epoch + 1
    assert not store_end(first, Outcome(error="late", permanent=True))
    assert store_end(second, Outcome())
    assert (only().status, only().error) == ("sent", "")


def test_a_worker_that_is_lost_in_the_last_attempt_leaves_it_dead(receiver: Peer, settings: Settings) -> None:
    webhook(receiver)
    asked(channels=["webhook://ops"])
    Delivery.objects.update(attempts=settings.ZEN_NOTIFY_ATTEMPTS - 1)
    assert len(claim(1)) == 1
    lease_over()
    deliver_due()
    assert only().status == "dead" and "may have been sent" in only().error and receiver.seen == []


def test_a_slow_channel_takes_few_places(receiver: Peer) -> None:
    for name in ("slow", "quick"):
        webhook(receiver, name)
    receiver.delay["/slow"] = 1.0
    for n in range(6):
        asked(channels=["webhook://slow"], n=n)
    for n in range(6, 10):
        asked(channels=["webhook://quick"], n=n)
    assert deliver_due() == 10
    order = [path for _, path, _ in receiver.calls]
    fifth_slow = [number for number, path in enumerate(order) if path == "/slow"][4]
    assert order[:fifth_slow].count("/quick") == 4, order


@pytest.mark.both_databases
def test_what_is_settled_while_it_is_being_sent_ends_without_buttons(slack: SlackApi) -> None:
    slack_channel()
    asked(channels=["slack://deployments"])
    slack.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(closing, deliver_due)
        assert slack.reached.wait(PATIENCE_SECONDS)
        with transaction.atomic():
            supersede(subject="approval:17", message=DONE)
            slack.gate.set()  # its end is written while we have not committed
        sending.result(PATIENCE_SECONDS)
    make_due()
    deliver_due()
    assert slack.calls == ["chat.postMessage", "chat.update"] and buttons_of(slack.only) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("again", range(4))
def test_subjects_settled_at_once_while_others_send_block_nobody(
    again: int, slack: SlackApi, settings: Settings
) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 20
    slack_people()
    ada = user(slack_id="U0ADA", channels=["slack://people"])
    for n in range(8):
        asked(ada, subject=f"approval:{n}")
    together = threading.Barrier(6)

    def settling(n: int) -> Callable[[], object]:
        def work() -> object:
            together.wait(PATIENCE_SECONDS)
            return supersede(subject=f"approval:{n}", message=DONE)

        return work

    def sweep() -> int:
        together.wait(PATIENCE_SECONDS)
        return deliver_due()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(closing, [*(settling(n) for n in range(4)), sweep, sweep]))
    for _ in range(2):
        make_due()
        deliver_due()
    shown = [block for message in slack.shown.values() for block in message["blocks"]]
    titles = [block["text"]["text"].splitlines()[0] for block in shown if block["type"] == "section"]
    assert titles.count("*Deploy to production?*") == 4, "in one message or in more, as the rows were free"
    assert sum(block["type"] == "actions" for block in shown) == 4
    assert not Delivery.objects.filter(status__in=["queued", "sending", "dead"]).exists()


@pytest.mark.slow
def test_a_celery_worker_delivers_by_itself(receiver: Peer, process_env: dict[str, str]) -> None:
    webhook(receiver)
    asked(channels=["webhook://ops"])
    env = process_env | {"ZEN_OUTBOUND_ALLOW": receiver.address, "ZEN_LOG_LEVEL": "warning"}
    with worker(env) as started:
        wait_for(lambda: only().status == Delivery.SENT, started.process)
    assert len(receiver.seen) == 1


@pytest.mark.parametrize("error", [ConnectionError("no broker"), RuntimeError("the ring broke")])
def test_a_ring_that_fails_costs_the_caller_nothing(
    receiver: Peer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(_: str) -> None:
        raise error

    monkeypatch.setattr(nudge, "nudge_workers", broken)
    webhook(receiver)
    with transaction.atomic():
        asked(channels=["webhook://ops"])
    assert tasks.deliver() == 1 and only().status == "sent"


def test_the_task_and_the_workers_service_have_one_name(settings: Settings) -> None:
    assert (
        tasks.deliver.name == nudge.DELIVER == "notifications.deliver" and nudge.DELIVER in settings.ZEN_WORKER_SERVICES
    )
