"""What each kind of answer means, and when the next attempt is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from approvals.tasks import callbacks
from foundation.audit.verify import verify
from foundation.clock import now
from foundation.errors import NotAllowed, WrongState
from foundation.outbound import transport
from foundation.outbox.backoff import scheduled
from notifications.models import Callback, Endpoint
from notifications.webhooks import deliver_due, enable, endpoint_for, redeliver
from notifications.webhooks.schedule import ATTEMPTS, DELAYS
from notifications.webhooks.send import Reply, post
from tests.notifications.webhooks.scenes import OPERATOR, PATH, VIEWER, attempted, due_now, endpoint_at, queued
from tests.support.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(receiver: Peer, status: int) -> None:
    receiver.say(PATH, status)
    callback = queued(endpoint_at(receiver))
    assert callbacks() == 1 and callbacks() == 0
    callback.refresh_from_db()
    assert (callback.status, callback.last_status, callback.last_error) == ("delivered", status, "")
    assert callback.delivered_at is not None and callback.attempts == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(receiver: Peer, status: int) -> None:
    elsewhere = {"Location": f"{receiver.url}/elsewhere"}
    receiver.say(PATH, status, elsewhere, b"no \0 thanks")
    callback = attempted(queued(endpoint_at(receiver)))
    assert (callback.status, callback.attempts, callback.last_status) == ("queued", 1, status)
    assert f"answered {status}" in callback.last_error and len(receiver.seen) == 1
    receiver.say(PATH, 200)
    assert attempted(callback).status == "delivered"
    first, second = receiver.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"] and first.body == second.body


def test_the_attempts_follow_the_schedule_and_the_last_is_the_end(receiver: Peer) -> None:
    receiver.say(PATH, 500)
    callback = queued(endpoint_at(receiver))
    for made in range(1, ATTEMPTS):
        before = now()
        attempted(callback)
        assert (callback.status, callback.attempts) == ("queued", made)
        assert callback.due_at - before >= timedelta(seconds=DELAYS[made])
        assert callback.due_at - now() <= timedelta(seconds=DELAYS[made] * 1.1)
        assert deliver_due() == 0
    dead = attempted(callback)
    assert (dead.status, dead.attempts, len(receiver.seen)) == ("dead", 10, 10)
    due_now(callback)
    assert deliver_due() == 0
    receiver.say(PATH, 200)
    redeliver(callback, actor=OPERATOR)
    assert deliver_due() == 1 and Callback.objects.get().status == "delivered"


@given(made=st.integers(0, ATTEMPTS - 1), spread=st.floats(0, 1), wish=st.none() | st.floats(0, 1e9))
def test_the_wait_is_the_schedule_s_or_the_receiver_s_wish(made: int, spread: float, wish: float | None) -> None:
    wait = scheduled(DELAYS, made=made, spread=spread, retry_after=wish)
    assert wait is not None
    least = max(DELAYS[made], min(wish or 0, 86_400))
    assert least <= wait.total_seconds() + 1e-6 and wait.total_seconds() <= max(DELAYS[made] * 1.1, least) + 1e-6


def test_the_times_are_those_of_the_standard() -> None:
    assert list(DELAYS) == [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert scheduled(DELAYS, made=ATTEMPTS, spread=0) is None


@pytest.mark.parametrize(("wish", "seconds"), [("600", 600), ("1", 5), ("99999999", 86_400), ("soon", 5)])
def test_retry_after_is_honoured(receiver: Peer, wish: str, seconds: int) -> None:
    receiver.say(PATH, 503, {"Retry-After": wish})
    before = now()
    callback = attempted(queued(endpoint_at(receiver)))
    waits = (callback.due_at - before).total_seconds()
    assert waits >= seconds and (callback.due_at - now()).total_seconds() <= seconds * 1.1


def test_410_disables_the_endpoint_until_somebody_enables_it(receiver: Peer) -> None:
    endpoint, other = endpoint_at(receiver), endpoint_at(receiver, "/other")
    receiver.say_once(PATH, 410)
    first, second = queued(endpoint), queued(endpoint)
    assert attempted(first).status == "queued" and first.last_status == 410
    row = Endpoint.objects.get(pk=endpoint.pk)
    assert row.disabled_at is not None and "410" in row.disabled_reason
    third = queued(endpoint)
    for waiting in (first, second, third):
        due_now(waiting)
    assert deliver_due() == 0
    queued(other)
    assert deliver_due() == 1, "other endpoints go on"
    with pytest.raises(WrongState, match="disabled"):
        redeliver(first, actor=OPERATOR)
    with pytest.raises(NotAllowed):
        enable(endpoint, actor=VIEWER)
    enable(endpoint, actor=OPERATOR)
    assert deliver_due() == 3
    assert set(Callback.objects.values_list("status", flat=True)) == {"delivered"}
    with pytest.raises(WrongState, match="not disabled"):
        enable(endpoint, actor=OPERATOR)
    report = verify(chain=f"endpoint:{endpoint.pk}")
    assert report.is_whole and report.rows == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_not_called(receiver: Peer, settings: Settings, host: str) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    endpoint = endpoint_for(f"https://{host}:{receiver.server.server_port}{PATH}", "shop")
    callback = attempted(queued(endpoint))
    assert callback.status == "queued" and "not a public address" in callback.last_error
    assert callback.last_status is None and not receiver.seen


def test_the_metadata_address_is_never_called(settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ("169.254.169.254",)
    callback = attempted(queued(endpoint_for("http://169.254.169.254/latest", "shop")))
    assert "never called" in callback.last_error


def test_plain_http_needs_the_setting_at_each_attempt(receiver: Peer, settings: Settings) -> None:
    callback = queued(endpoint_at(receiver))
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.0/8",)
    assert attempted(callback).status == "delivered"
    settings.ZEN_OUTBOUND_ALLOW = ()
    redeliver(callback, actor=OPERATOR)
    assert "is not encrypted" in attempted(callback).last_error and len(receiver.seen) == 1


def test_nobody_at_home_is_tried_again(receiver: Peer) -> None:
    callback = queued(endpoint_at(receiver))
    receiver.server.shutdown()
    receiver.server.server_close()
    transport.close()
    assert attempted(callback).status == "queued" and "no answer" in callback.last_error


def test_an_answer_that_takes_too_long_is_none(receiver: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.webhooks.send.SECONDS", 0.5)
    receiver.behave(PATH, "hang")
    callback = attempted(queued(endpoint_at(receiver)))
    assert callback.status == "queued" and "no answer" in callback.last_error


def test_one_that_breaks_keeps_no_other_from_its_end(receiver: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    from notifications.webhooks import worker

    receiver.say(PATH, 200)
    good, bad = queued(endpoint_at(receiver)), queued(endpoint_at(receiver, PATH + "/other"))

    def breaking(row: Callback) -> Reply:
        if row.pk == bad.pk:
            raise RuntimeError("what nobody thought of")
        return post(row)

    monkeypatch.setattr(worker, "post", breaking)
    assert deliver_due() == 2
    assert Callback.objects.get(pk=good.pk).status == "delivered"
    left = Callback.objects.get(pk=bad.pk)
    assert (left.status, left.attempts, left.lease_until) == ("queued", 1, None) and left.due_at > now()
    assert left.last_error == "RuntimeError: what nobody thought of"
