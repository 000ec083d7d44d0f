"""A callback is stored in the transaction of what it tells, or refused with nothing stored."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from foundation.errors import BadInput, NotAllowed, WrongState
from foundation.models import AuditEvent
from notifications.models import Callback, Endpoint
from notifications.webhooks import call_back, cancel, deliver_due, endpoint_for, redeliver
from notifications.webhooks.outbox import BELOW_BYTES
from tests.notifications.webhooks.scenes import OPERATOR, VIEWER, attempted, endpoint_at, queued
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_rolled_back_is_not_sent(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    with transaction.atomic():
        queued(endpoint)
        transaction.set_rollback(True)
    assert deliver_due() == 0 and not receiver.seen


def test_numbers_rise_for_each_subject(receiver: Peer) -> None:
    endpoint, other = endpoint_at(receiver), endpoint_at(receiver, "/other")
    rows = [queued(endpoint, "approval:1"), queued(other, "approval:1"), queued(endpoint, "approval:2")]
    numbers = [row.sequence for row in rows]
    assert numbers == sorted(set(numbers)) and numbers[-1] < 2**53, "every reader of JSON takes them exactly"
    assert [json.loads(row.payload)["sequence"] for row in rows] == numbers


@pytest.mark.both_databases
def test_a_number_is_not_given_again_after_a_restore(receiver: Peer) -> None:
    """A backup was taken before the callback, so the database has never heard of it."""
    endpoint = endpoint_at(receiver)
    sent = queued(endpoint)
    Callback.objects.all().delete()
    again = queued(endpoint)
    assert again.sequence > sent.sequence and again.webhook_id != sent.webhook_id


def test_numbers_of_an_older_version_go_on_rising(receiver: Peer) -> None:
    first = queued(endpoint_at(receiver))
    Callback.objects.update(sequence=7)
    assert queued(first.endpoint).sequence > 7


def test_numbers_rise_while_the_clock_stands_or_goes_back(receiver: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = endpoint_at(receiver)
    numbers = []
    for second in (30, 30, 10):
        moment = datetime(2026, 11, 26, 12, 0, second, tzinfo=UTC)
        monkeypatch.setattr("notifications.webhooks.outbox.database_now", lambda moment=moment: moment)
        numbers.append(queued(endpoint).sequence)
    first = int(datetime(2026, 11, 26, 12, 0, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert numbers == [first, first + 1, first + 2]


@pytest.mark.both_databases
def test_writers_at_once_get_different_numbers(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    together = threading.Barrier(6)

    def write(_: int) -> list[int]:
        try:
            together.wait(PATIENCE_SECONDS)
            return [queued(endpoint).sequence for _ in range(4)]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        numbers = [number for found in pool.map(write, range(6)) for number in found]
    assert len(set(numbers)) == 24


def test_a_payload_that_is_too_large_is_refused(receiver: Peer) -> None:
    endpoint = endpoint_at(receiver)
    room = BELOW_BYTES - 1 - len(queued(endpoint, "s", text="").payload)
    assert len(queued(endpoint, "t", text="x" * room).payload.encode()) == BELOW_BYTES - 1
    with pytest.raises(BadInput, match="has 20,000 bytes, and a callback carries less than 20,000") as refusal:
        queued(endpoint, "u", text="x" * (room + 1))
    assert refusal.value.field == "data" and refusal.value.remedy
    with pytest.raises(BadInput, match="20,"):
        queued(endpoint, "u", text="é" * room)
    assert Callback.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("data", {"data": {"at": object()}}),
        ("data", {"data": {"n": float("nan")}}),
        ("data", {"data": {"text": "\ud800"}}),
        ("event_type", {"event_type": "two words"}),
        ("event_type", {"event_type": ".x"}),
        ("event_type", {"event_type": "x" * 101}),
        ("subject", {"subject": ""}),
        ("subject", {"subject": "x" * 201}),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(receiver: Peer, field: str, change: dict[str, Any]) -> None:
    good = {"endpoint": endpoint_at(receiver), "subject": "s", "event_type": "a.b", "data": {}}
    with pytest.raises(BadInput) as refusal:
        call_back(**{**good, **change})
    assert refusal.value.field == field and not Callback.objects.exists()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/hook", "is not encrypted"),
        ("ftp://example.org/", "needs https://"),
        ("https://", "needs https://"),
        ("nonsense", "needs https://"),
        ("https://user:word@example.org/", "contains credentials"),
        ("https://example.org/" + "x" * 1000, "1000 are the most"),
        ("https://exa mple.org:port/", "is no URL"),
        ("https://xn--..x.example/", "is no URL"),
        ("https://a\ud800.example/", "is no URL"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as refusal:
        endpoint_for(url, "shop")
    assert refusal.value.field == "url" and not Endpoint.objects.exists()


def test_an_owner_is_needed() -> None:
    for owner in ("", " ", "x" * 151):
        with pytest.raises(BadInput, match="owner"):
            endpoint_for("https://example.org/", owner)


@pytest.mark.both_databases
def test_an_endpoint_is_made_once(receiver: Peer) -> None:
    together = threading.Barrier(6)

    def ask(_: int) -> tuple[int, bool]:
        try:
            together.wait(PATIENCE_SECONDS)
            found = endpoint_at(receiver)
            return found.pk, bool(found.shown_once)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert len({pk for pk, _ in answers}) == 1 and sum(shown for _, shown in answers) == 1
    assert endpoint_at(receiver, owner="other").pk != answers[0][0]


def test_a_dead_or_delivered_callback_is_sent_again_under_its_id(receiver: Peer) -> None:
    callback = attempted(queued(endpoint_at(receiver)))
    assert callback.status == "delivered"
    again = redeliver(callback, actor=OPERATOR)
    assert (again.status, again.attempts) == ("queued", 0) and deliver_due() == 1
    Callback.objects.update(status=Callback.DEAD, attempts=10)
    redeliver(callback, actor=OPERATOR)
    assert deliver_due() == 1
    callback.refresh_from_db()
    assert (callback.status, callback.attempts) == ("delivered", 1)
    assert [request.headers["webhook-id"] for request in receiver.seen] == [callback.webhook_id] * 3
    assert len({request.body for request in receiver.seen}) == 1
    assert AuditEvent.objects.filter(action="callback.redeliver", actor="otto").count() == 2


def test_a_callback_on_its_way_is_not_redelivered(receiver: Peer) -> None:
    callback = queued(endpoint_at(receiver))
    Callback.objects.update(status=Callback.SENDING)
    for verb in (redeliver, cancel):
        with pytest.raises(WrongState, match="is being sent"):
            verb(callback, actor=OPERATOR)


def test_a_cancelled_callback_is_not_sent(receiver: Peer) -> None:
    callback = cancel(queued(endpoint_at(receiver)), actor=OPERATOR, note="wrong receiver")
    assert deliver_due() == 0 and not receiver.seen
    with pytest.raises(WrongState, match="is cancelled"):
        cancel(callback, actor=OPERATOR)
    assert AuditEvent.objects.get(action="callback.cancel").note == "wrong receiver"


def test_viewers_change_nothing(receiver: Peer) -> None:
    callback = queued(endpoint_at(receiver))
    for verb in (redeliver, cancel):
        with pytest.raises(NotAllowed):
            verb(callback, actor=VIEWER)
    callback.refresh_from_db()
    assert callback.status == "queued"
