"""What is claimed under our name and held by no thread is freed, and nothing else is."""

from __future__ import annotations

from orchestration.workers.in_hand import InHand


def test_what_no_thread_holds_is_freed_at_the_second_look() -> None:
    hand = InHand()
    assert hand.unheld([(1, 1)], 10) == []
    assert hand.unheld([(1, 1)], 12) == [((1, 1), False)]


def test_what_a_thread_holds_is_not() -> None:
    hand = InHand()
    hand.taken([(1, 1)])
    assert hand.unheld([(1, 1)], 10) == hand.unheld([(1, 1)], 12) == []


def test_an_earlier_epoch_that_is_held_is_another_claim() -> None:
    hand = InHand()
    hand.taken([(1, 1)])
    hand.unheld([(1, 2)], 10)
    assert hand.unheld([(1, 2)], 12) == [((1, 2), False)]


def test_a_claim_that_is_on_its_way_is_waited_for_however_long_it_takes() -> None:
    hand = InHand()
    with hand.claiming():
        for at in (1e12, 1e12 + 100, 1e12 + 10_000):  # ticks far ahead of now: the transaction began before
            assert hand.unheld([(1, 1)], at) == []
        hand.taken([(1, 1)])
    assert hand.unheld([(1, 1)], 1e12 + 20_000) == []


def test_one_that_is_lost_on_its_way_is_freed_once_its_transaction_is_over() -> None:
    hand = InHand()
    with hand.claiming():
        hand.unheld([(1, 1)], 1e12)
    assert hand.unheld([(1, 1)], 1e12 + 1) == [((1, 1), False)]


def test_what_a_thread_gave_up_may_have_been_performed() -> None:
    hand = InHand()
    hand.taken([(1, 1)])
    hand.lost((1, 1))
    hand.unheld([(1, 1)], 10)
    assert hand.unheld([(1, 1)], 12) == [((1, 1), True)]


def test_what_ended_between_two_looks_is_forgotten() -> None:
    hand = InHand()
    hand.unheld([(1, 1)], 10)
    assert hand.unheld([], 12) == []
    assert hand.unheld([(1, 1)], 14) == []
