"""Rows of an outbox, with every kind there is: claimed once, fenced, tried again later, dead in the end, sent again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from pytest_django import Settings

from foundation.clock import now
from foundation.outbox import worker
from foundation.outbox.claim import mine
from foundation.outbox.model import OutboxRow
from foundation.outbox.outcome import due_again, ended, put_off, send_again
from foundation.outbox.worker import Kind, work_through
from notifications.channels.envelope import Outcome
from notifications.delivery import claim as delivery_claim
from notifications.delivery import outcome as delivery_outcome
from notifications.delivery.worker import DELIVERIES
from notifications.models import Callback, Channel, Delivery, Endpoint, Notice, Press
from notifications.slack import worker as slack_worker
from notifications.webhooks import claim as webhook_claim
from notifications.webhooks.schedule import ATTEMPTS
from notifications.webhooks.send import Reply
from notifications.webhooks.worker import CALLBACKS
from tests.support.moments import over
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@dataclass(frozen=True)
class Case:
    """`row`: a new one, of an owner or channel of its own; `good` and `bad`: what an attempt can come to."""

    model: type[Any]
    row: Callable[[int], Any]
    claim: Callable[[int], list[Any]]
    store: Callable[[Any, Any], bool]
    good: Any
    bad: Any
    kind: Kind[Any, Any]
    done: str
    attempts: int


def delivery(number: int) -> Delivery:
    at = now()
    channel = Channel.objects.create(name=f"webhook://c{number}", kind="webhook", target="https://example.com/")
    notice = Notice.objects.create(subject="s", kind="k", title="t", dedupe=str(number), created_at=at)
    return Delivery.objects.create(notice=notice, channel=channel, created_at=at, due_at=at)


def callback(number: int) -> Callback:
    endpoint = Endpoint.objects.create(url=f"https://example.com/{number}", owner="o")
    return Callback.objects.create(
        endpoint=endpoint, webhook_id=f"msg_{number}", event_type="a.b", subject="s", sequence=number, due_at=now()
    )


def press(number: int) -> Press:
    return Press.objects.create(key=str(number), team="T", slack_user="U", value="v", received_at=now(), due_at=now())


CASES = {
    "delivery": Case(
        Delivery, delivery, delivery_claim.claim, delivery_outcome.store_end, Outcome(), Outcome(error="no"),
        DELIVERIES, "sent", 3,
    ),
    "callback": Case(
        Callback, callback, webhook_claim.claim, webhook_claim.store_end, Reply(status=200), Reply(status=503),
        CALLBACKS, "delivered", ATTEMPTS,
    ),
    "press": Case(
        Press, press, slack_worker.claim, slack_worker.store_end, Outcome(), Outcome(error="no"),
        slack_worker.PRESSES, "answered", slack_worker.ATTEMPTS,
    ),
}  # fmt: skip


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, settings: Settings) -> Case:
    settings.ZEN_NOTIFY_ATTEMPTS = 3
    return CASES[request.param]


def rows_of(case: Case) -> QuerySet[Any]:
    found: QuerySet[Any] = case.model.objects.order_by("pk")
    return found


def only(case: Case) -> Any:
    return rows_of(case).get()


def lease_over(case: Case) -> None:
    rows_of(case).update(lease_until=now() - timedelta(seconds=1))


def test_every_kind_of_row_is_tried_here() -> None:
    found: list[type[OutboxRow]] = OutboxRow.__subclasses__()
    assert {one for one in found if not one.__module__.startswith("__fake__")} == {one.model for one in CASES.values()}


def test_workers_at_once_take_each_row_once(case: Case) -> None:
    for number in range(12):
        case.row(number)
    together = threading.Barrier(2)

    def work() -> list[int]:
        try:
            together.wait(PATIENCE_SECONDS)
            taken = []
            while rows_of(case).filter(status=OutboxRow.QUEUED).exists():
                for row in case.claim(3):
                    taken.append(row.pk)
                    assert case.store(row, case.good)
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        taken = Counter(pk for pks in pool.map(lambda _: work(), range(2)) for pk in pks)
    assert taken == Counter(rows_of(case).values_list("pk", flat=True))
    assert set(rows_of(case).values_list("status", "attempts", "lease_until")) == {(case.done, 1, None)}


def test_what_a_lost_worker_had_in_hand_is_taken_when_its_lease_is_over(case: Case) -> None:
    case.row(0)
    (first,) = case.claim(5)
    assert case.claim(5) == []
    lease_over(case)
    (second,) = case.claim(5)
    assert (second.epoch, second.attempts) == (first.epoch + 1, 2)


def test_a_claim_does_not_end_while_its_worker_works_on_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0.05)
    case.row(0)
    sending, over = threading.Event(), threading.Event()

    def send() -> Any:
        sending.set()
        assert over.wait(PATIENCE_SECONDS)
        return case.good

    def work() -> int:
        try:
            return work_through(replace(case.kind, begin=lambda row: send), limit=5, at_once=4)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        assert sending.wait(PATIENCE_SECONDS)
        lease_over(case)  # as an attempt lasts longer than it
        wait_until(rows_of(case).filter(lease_until__gt=now() + timedelta(seconds=30)).exists, "a claim that is kept")
        assert case.claim(5) == []
        over.set()
        assert working.result(PATIENCE_SECONDS) == 1
    assert (only(case).status, only(case).attempts) == (case.done, 1)


def test_a_claim_that_was_lost_is_not_kept(case: Case) -> None:
    case.row(0)
    (first,) = case.claim(5)
    lease_over(case)
    (second,) = case.claim(5)
    lease_over(case)
    before = only(case).lease_until
    case.kind.keep([first])
    assert only(case).lease_until == before
    case.kind.keep([second])
    assert only(case).lease_until > now()


@pytest.mark.parametrize("where", ["begin", "send"])
def test_what_a_bug_breaks_is_due_again_later_and_ends(case: Case, where: str, settings: Settings) -> None:
    settings.ZEN_NOTIFY_ATTEMPTS = 3

    def broken(*_: object) -> Any:
        raise KeyError("label")

    kind = replace(case.kind, begin=broken if where == "begin" else lambda row: broken)
    case.row(0)
    assert work_through(kind, limit=1, at_once=4) == 1
    assert (only(case).status, only(case).attempts, only(case).lease_until) == (OutboxRow.QUEUED, 1, None)
    assert only(case).due_at > now()
    for _ in range(2 * slack_worker.MOST_LOST):
        rows_of(case).update(due_at=over())
        work_through(kind, limit=1, at_once=4)
    assert only(case).status == OutboxRow.DEAD or only(case).answer == slack_worker.LOST


def test_a_late_end_changes_nothing(case: Case) -> None:
    case.row(0)
    (first,) = case.claim(5)
    lease_over(case)
    (second,) = case.claim(5)
    assert not case.store(first, case.bad) and not mine(first).exists()
    assert only(case).status == OutboxRow.SENDING and case.store(second, case.good)
    assert not case.store(second, case.bad), "an end is written once"
    assert only(case).status == case.done


def test_what_failed_is_due_again_later_and_dead_after_its_last_attempt(case: Case) -> None:
    case.row(0)
    for attempt in range(1, case.attempts + 1):
        (row,) = case.claim(5)
        assert row.attempts == attempt and case.store(row, case.bad)
        if attempt < case.attempts:
            assert only(case).status == OutboxRow.QUEUED and only(case).due_at > now()
            assert case.claim(5) == [], "not before it is due"
            rows_of(case).update(due_at=over())
    assert only(case).status == OutboxRow.DEAD and only(case).lease_until is None
    lease_over(case)
    rows_of(case).update(due_at=over())
    assert case.claim(5) == []


def test_a_dead_one_is_sent_again_from_its_first_attempt_on(case: Case) -> None:
    case.row(0)
    (row,) = case.claim(5)
    ended(row, OutboxRow.DEAD)
    more = {"done_at": None} if case.model is Press else {}
    send_again(only(case), **more)
    (row,) = case.claim(5)
    assert row.attempts == 1 and case.store(row, case.good) and only(case).status == case.done


def test_what_is_put_off_has_made_no_attempt(case: Case) -> None:
    case.row(0)
    (row,) = case.claim(5)
    assert put_off(row, now() + timedelta(seconds=60)) and not due_again(row, now()), "the claim is given up"
    assert (only(case).status, only(case).attempts, only(case).lease_until) == (OutboxRow.QUEUED, 0, None)
    assert case.claim(5) == []


def test_a_press_that_a_worker_was_lost_over_is_claimed_alone() -> None:
    first, second, third, fourth = (press(number).pk for number in range(4))
    assert [row.pk for row in slack_worker.claim(2)] == [first, second]
    lease_over(CASES["press"])
    assert [[row.pk for row in slack_worker.claim(4)] for _ in range(3)] == [[first], [second], [third, fourth]]
