"""What a worker was lost over takes no other notice of its channel along."""

from __future__ import annotations

import pytest

from notifications.channels.envelope import Outcome
from notifications.delivery.claim import LOST_BEFORE, claim
from notifications.delivery.outcome import put_off, store_end
from notifications.models import Delivery
from tests.notifications.scenes import asked, lease_over, make_due, webhook
from tests.support.peer import Peer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def ids(rows: list[Delivery]) -> list[int]:
    return [row.pk for row in rows]


@pytest.fixture
def rows(receiver: Peer) -> list[int]:
    """Five notices, in order, of one channel; the worker was lost with the first of them in hand."""
    webhook(receiver)
    for n in range(5):
        asked(channels=["webhook://ops"], n=n)
    assert len(claim(1)) == 1
    lease_over()
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


def test_it_is_sent_alone_and_the_others_follow(rows: list[int]) -> None:
    (lost,) = claim(8)
    assert (lost.pk, lost.attempts, lost.error) == (rows[0], 2, LOST_BEFORE)
    assert claim(8) == [], "while it is sent"
    assert store_end(lost, Outcome())
    assert ids(claim(8)) == rows[1:]
    assert Delivery.objects.get(pk=rows[0]).error == ""


def test_a_worker_that_is_lost_over_it_again_costs_the_others_nothing(rows: list[int]) -> None:
    for attempts in (2, 3):
        (lost,) = claim(8)
        assert lost.attempts == attempts
        lease_over()
    assert set(Delivery.objects.exclude(pk=rows[0]).values_list("attempts", flat=True)) == {0}


def test_those_that_were_lost_with_it_are_sent_one_by_one(rows: list[int]) -> None:
    (lost,) = claim(8)
    assert store_end(lost, Outcome(error="no", permanent=True))
    assert len(claim(8)) == 4
    lease_over()
    for row in rows[1:]:
        (one,) = claim(8)
        assert one.pk == row and store_end(one, Outcome())


def test_it_waits_until_its_channel_is_empty_and_nothing_overtakes_it_meanwhile(rows: list[int]) -> None:
    Delivery.objects.filter(pk=rows[0]).update(status="queued", attempts=0, lease_until=None)
    first, *_ = taken = claim(2)
    Delivery.objects.filter(pk=first.pk).update(lease_until=first.notice.created_at)
    assert claim(8) == [], "its neighbour is being sent"
    assert store_end(taken[1], Outcome())
    assert ids(claim(8)) == [first.pk]


def test_another_channel_goes_on(rows: list[int], receiver: Peer) -> None:
    webhook(receiver, "other")
    for n in range(3):
        asked(channels=["webhook://other"], n=10 + n)
    taken = claim(8)
    assert ids(taken)[0] == rows[0] and len(taken) == 4


def test_it_is_still_alone_after_it_was_put_off_and_no_more_after_an_end(rows: list[int]) -> None:
    (lost,) = claim(8)
    put_off(lost)
    make_due()
    Delivery.objects.filter(pk=rows[0]).update(due_at=lost.created_at)
    (lost,) = claim(8)
    assert lost.pk == rows[0] and store_end(lost, Outcome(error="no"))
    Delivery.objects.filter(pk=rows[0]).update(due_at=lost.created_at)
    assert ids(claim(8)) == rows[:4]
