"""The loop that every kind of outbox goes through. Rows of every kind are in test_outbox_rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from django.db import OperationalError

from foundation.outbox import worker
from foundation.outbox.backoff import LONGEST_WISH, pause, scheduled
from foundation.outbox.worker import Kind, work_through
from tests.support.waiting import PATIENCE_SECONDS


class Rows:
    """Rows by number, handed out once; what is in `breaks` breaks there."""

    def __init__(self, number: int, breaks: dict[int, str] | None = None) -> None:
        self.waiting, self.breaks = list(range(number)), breaks or {}
        self.ended: dict[int, str] = {}
        self.broken: dict[int, str] = {}
        self.kept: list[set[int]] = []
        self.most_at_once = self.at_once = 0
        self.lock = threading.Lock()

    def claim(self, most: int) -> list[int]:
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    def begin(self, row: int) -> Callable[[], str] | None:
        if self.breaks.get(row) == "begin":
            raise KeyError(row)
        return None if self.breaks.get(row) == "nothing" else partial(self.send, row)

    def send(self, row: int) -> str:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if self.breaks.get(row) == "send":
            raise KeyError(row)
        with self.lock:
            self.at_once -= 1
        return f"sent {row}"

    def finish(self, row: int, result: str) -> None:
        if self.breaks.get(row) == "finish":
            raise KeyError(row)
        self.ended[row] = result

    def kind(self) -> Kind[int, str]:
        return Kind(
            name="test", claim=self.claim, begin=self.begin, finish=self.finish, broke=self.broke, keep=self.keep
        )

    def broke(self, row: int, error: Exception) -> None:
        self.broken[row] = repr(error)

    def keep(self, rows: Sequence[int]) -> None:
        self.kept.append(set(rows))


def test_all_that_is_due_is_sent_and_ended_once() -> None:
    rows = Rows(20)
    assert work_through(rows.kind(), limit=100, at_once=4) == 20
    assert rows.ended == {row: f"sent {row}" for row in range(20)} and rows.most_at_once <= 4


@pytest.mark.parametrize("where", ["begin", "send", "finish", "nothing"])
def test_one_that_breaks_keeps_no_other_from_its_end(where: str) -> None:
    rows = Rows(5, {2: where})
    assert work_through(rows.kind(), limit=100, at_once=2) == 5
    assert set(rows.ended) == {0, 1, 3, 4}
    assert rows.broken == ({2: "KeyError(2)"} if where in ("begin", "send") else {})


def test_no_more_is_begun_than_was_asked_for() -> None:
    rows = Rows(20)
    assert work_through(rows.kind(), limit=7, at_once=3) == 7
    assert set(rows.ended) == set(range(7)) and rows.waiting == list(range(7, 20))


def test_what_is_on_its_way_when_claiming_breaks_is_written_down() -> None:
    rows, gone = Rows(6), threading.Event()

    def claim(most: int) -> list[int]:
        if rows.ended:
            gone.set()
            raise ConnectionError("the database is away")
        return rows.claim(most)

    def send(row: int) -> str:
        assert row == 0 or gone.wait(PATIENCE_SECONDS)  # the others end after the claim that breaks
        return f"sent {row}"

    kind = replace(rows.kind(), claim=claim, begin=lambda row: partial(send, row))
    with pytest.raises(ConnectionError):
        work_through(kind, limit=100, at_once=3)
    assert set(rows.ended) == {0, 1, 2}


def test_claims_are_kept_while_an_attempt_lasts_also_after_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    healed: list[None] = []
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0.01)
    monkeypatch.setattr(worker, "heal", lambda: healed.append(None))  # a connection of an earlier test is not ours
    rows, away, over = Rows(2), iter([True, True]), threading.Event()

    def keep(held: Sequence[int]) -> None:
        if next(away, False):
            raise OperationalError("the database is away")
        rows.keep(held)
        if len(rows.kept) == 3:
            over.set()

    def send(row: int) -> str:
        assert over.wait(PATIENCE_SECONDS)
        return f"sent {row}"

    assert work_through(replace(rows.kind(), begin=lambda row: partial(send, row), keep=keep), limit=9, at_once=2) == 2
    assert rows.kept[:3] == [{0, 1}] * 3 and set(rows.ended) == {0, 1}
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2, "no errors"
    assert len(healed) == 2


def test_claims_are_kept_of_what_waits_to_be_begun_and_after_claiming_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0.0)
    rows, over = Rows(3), threading.Event()

    def claim(most: int) -> list[int]:
        if not rows.waiting:
            rows.kept.clear()
            raise ConnectionError("the database is away")
        return rows.claim(most)

    def begin(row: int) -> Callable[[], str]:
        if row == 0:
            assert rows.kept == [{0, 1, 2}]
        return lambda: f"sent {row} {over.wait(PATIENCE_SECONDS)}"

    def keep(held: Sequence[int]) -> None:
        rows.keep(held)
        if not rows.waiting and rows.kept.count({0, 1, 2}) > 3:
            over.set()

    with pytest.raises(ConnectionError):
        work_through(replace(rows.kind(), claim=claim, begin=begin, keep=keep), limit=9, at_once=4)
    assert set(rows.ended) == {0, 1, 2}


def test_a_receivers_wish_is_kept_within_a_day() -> None:
    assert pause(attempts=1, spread=0.0, retry_after=90).total_seconds() == 90
    assert pause(attempts=1, spread=1.0, retry_after=1e9).total_seconds() == pytest.approx(LONGEST_WISH * 1.1)
    assert scheduled((0.0, 5.0), made=1, spread=0.0, retry_after=60) is not None
    assert scheduled((0.0, 5.0), made=2, spread=0.0) is None
