"""A seal is made page by page: nobody waits for it, whoever dies over it loses nothing, and no two make one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from foundation.audit import heads
from foundation.audit import seal as sealing
from foundation.audit.heads import Head
from foundation.audit.seal import LEASE, seal, seal_of_the_day
from foundation.audit.verify import verify
from foundation.models import AuditSeal, SealedHead, SealInHand
from tests.approvals.later import after
from tests.foundation.audit.scenes import chain
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
BetweenPages = Callable[[Callable[[int], None]], None]


class KilledError(BaseException):
    """In place of the end of a process."""


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "PAGE", 2)


@pytest.fixture
def chains() -> None:
    chain("", 1)
    for number in range(6):
        chain(f"run-{number}", 2)


@pytest.fixture
def between_pages(monkeypatch: pytest.MonkeyPatch) -> BetweenPages:
    """Do something before each page but the first is stored; its number is given."""

    def arrange(act: Callable[[int], None]) -> None:
        def pages(number: int) -> Iterator[list[Head]]:
            for count, page in enumerate(heads.moved_since(number)):
                if count:
                    act(count)
                yield page

        monkeypatch.setattr(sealing, "moved_since", pages)

    return arrange


def elsewhere(act: Callable[[], object]) -> object:
    """On a connection of its own, as another process; waits for it."""
    came: list[object] = []

    def go() -> None:
        try:
            came.append(act())
        finally:
            connection.close()

    other = threading.Thread(target=go)
    other.start()
    other.join(PATIENCE_SECONDS)
    assert came, "it is kept waiting"
    return came[0]


def heads_in(number: int) -> dict[str, int]:
    return dict(SealedHead.objects.filter(seal=number).values_list("chain", "seq"))


def test_others_write_while_a_seal_is_made_and_nothing_of_it_is_lost(chains: None, between_pages: BetweenPages) -> None:
    def write(page: int) -> None:
        for name in ("", "run-5", f"a{page}", f"z{page}"):  # behind the place of the reading, before it, and new ones
            elsewhere(lambda name=name: chain(name, 1))  # type: ignore[misc]
        assert verify().is_whole, "what is half made is no fault"

    between_pages(write)
    first = seal()
    assert verify().is_whole and heads_in(1)[""] == 1
    between_pages(lambda _: None)
    second = seal()
    assert verify().is_whole and heads_in(2)[""] > 1
    rows, names = heads.rows_there_are(), first.chains + len([name for name in heads_in(2) if name not in heads_in(1)])
    assert (second.rows, second.chains) == (rows, names) and first.rows < rows
    assert seal().moved == 0


def test_a_killed_maker_s_heads_are_taken_over_with_its_seal(chains: None, between_pages: BetweenPages) -> None:
    def killed(page: int) -> None:
        if page == 2:
            raise KilledError

    between_pages(killed)
    with pytest.raises(KilledError):
        seal()
    began = SealInHand.objects.get().began_at
    assert len(heads_in(1)) == 4 and not AuditSeal.objects.exists() and verify().is_whole
    chain("", 1)
    between_pages(lambda _: None)
    assert seal_of_the_day() is None, "it is in the hands of somebody who may live"
    with after(seconds=LEASE.total_seconds() + 1):
        made = seal_of_the_day()
    assert made is not None and (made.number, made.at, made.moved) == (1, began, 7)
    assert heads_in(1)[""] == 1 and made.rows == 13 and not SealInHand.objects.exists()
    assert seal().moved == 1 and heads_in(2) == {"": 2} and verify().is_whole


def test_a_maker_that_was_away_too_long_adds_nothing_to_the_seal_of_another(
    chains: None, between_pages: BetweenPages
) -> None:
    """What is added after the digest was made would be a change of the seal."""
    others: list[object] = []

    def away(page: int) -> None:
        if not others:
            others.append(None)
            with after(seconds=LEASE.total_seconds() + 1):
                others.append(elsewhere(seal_of_the_day))

    between_pages(away)
    mine = seal()
    assert isinstance(others[1], AuditSeal) and (others[1].number, others[1].moved, mine.number) == (1, 7, 2)
    assert verify().is_whole and verify().seals == 2


def test_with_nothing_new_no_chain_is_read(chains: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seal()
    monkeypatch.setattr(sealing, "moved_since", None)  # whoever calls it fails
    assert seal().moved == 0 and verify().is_whole
    chain("run-1", 1)
    with pytest.raises(TypeError):
        seal()


def test_pages_end_where_the_chains_end() -> None:
    for number in range(5):
        assert [len(page) for page in heads.moved_since(0)][-1] == number % 2
        chain(f"run-{number}", 1)
    assert seal().moved == 5 and len(heads_in(1)) == 5
