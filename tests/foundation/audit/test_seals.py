"""One seal a day, whoever asks for it; keys are known by name."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from pytest_django import Settings

from foundation import clock as database_clock
from foundation.audit import signing_key
from foundation.audit.seal import seal, seal_of_the_day
from foundation.audit.verify import verify
from foundation.errors import BadInput
from foundation.models import AuditSeal, SealedHead
from orchestration.tasks import audit_seal
from tests.foundation.audit.scenes import chain
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_a_seal_holds_the_heads_that_moved() -> None:
    chain("a", 2)
    chain("b", 1)
    first = seal()
    chain("b", 2)
    second = seal()
    third = seal()
    assert [(made.rows, made.chains, made.moved) for made in (first, second, third)] == [
        (3, 2, 2),
        (5, 2, 1),
        (5, 2, 0),
    ]
    assert list(SealedHead.objects.filter(seal=second).values_list("chain", "seq")) == [("b", 3)]
    assert [third.prev_hash, second.prev_hash, first.prev_hash] == [second.hash, first.hash, ""]
    assert verify().is_whole and verify().seals == 3


def test_the_task_makes_one_seal_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_clock, "_reading", None)  # from here on by this machine's clock, which is moved
    monkeypatch.setattr(database_clock, "_note", lambda cursor: None)
    with time_machine.travel(datetime(2026, 11, 25, 0, 7, tzinfo=UTC), tick=False) as clock:
        assert [audit_seal(), audit_seal()] == [1, 0]
        clock.move_to(datetime(2026, 11, 25, 23, 59, tzinfo=UTC))
        assert audit_seal() == 0
        clock.move_to(datetime(2026, 11, 26, 0, 7, tzinfo=UTC))
        assert audit_seal() == 2


def test_two_beats_at_once_make_one_seal() -> None:
    chain("a", 3)
    together = threading.Barrier(6)

    def ask(_: int) -> bool:
        try:
            together.wait(PATIENCE_SECONDS)
            return seal_of_the_day() is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == [False] * 5 + [True]
    assert AuditSeal.objects.count() == 1 and verify().is_whole


def test_sealing_while_others_write_is_whole() -> None:
    stop = threading.Event()

    def write(name: str) -> None:
        try:
            while not stop.is_set():
                chain(name, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, name) for name in ("", "a", "a")]
        for _ in range(5):
            seal()
        stop.set()
        for writer in writers:
            writer.result(PATIENCE_SECONDS)
    assert verify().is_whole and verify().seals == 5


def test_seals_of_an_earlier_key_need_its_public_key(settings: Settings) -> None:
    chain("a", 1)
    seal()
    earlier = signing_key.public_key()
    settings.ZEN_SIGNING_KEY = base64.b64encode(b"another seed, thirty-two bytes .").decode()
    seal()
    (finding,) = verify().findings
    assert (finding.what, finding.seal) == ("seal-unknown-key", 1) and "--trust" in finding.message
    assert verify(trust=[earlier]).is_whole


def test_a_key_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="'abc' is not a public key"):
        verify(trust=["abc"])
