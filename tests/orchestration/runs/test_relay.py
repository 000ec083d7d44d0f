"""What waits is handed over, and nothing that cannot be keeps the rest waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connection

from foundation.clock import now
from foundation.errors import Unreachable
from orchestration.core.saga.events import HoldRequested
from orchestration.engines.base import Reach
from orchestration.engines.registry import ENGINES
from orchestration.ledger.run_end import post
from orchestration.models import Message, Run
from orchestration.runs import relay, start_run
from orchestration.workers import lease
from orchestration.workers.temporal import worker
from tests.approvals.later import after
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
SAGA = {"saga_id": "s", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 3600}}]}


class Temporal:
    """Its server, as far as the relay meets it: what it is given goes to `does`."""

    def __init__(self) -> None:
        self.is_there = True
        self.does: Callable[[Any], object] = lambda _: None
        self.got: list[str] = []

    def deliver(self, message: Message) -> str:
        self.got.append(message.message_id)
        self.does(message)
        Message.objects.filter(pk=message.pk).update(delivered_at=now())
        return ""

    def take(self, run: Run) -> None:
        self.got.append(run.workflow_id)
        self.does(run)
        Run.objects.filter(pk=run.pk).update(handed_over=True)


@pytest.fixture(autouse=True)
def temporal(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Temporal:
    there = Temporal()
    monkeypatch.setattr(ENGINES["temporal"], "deliver", there.deliver)
    monkeypatch.setattr(ENGINES["temporal"], "take", there.take)
    monkeypatch.setattr(ENGINES["temporal"], "reach", lambda: Reach(ok=there.is_there))
    return there


def run_on(engine: str, *, taken: bool = True) -> Run:
    run, _ = start_run(definition=SAGA, actor=ADA, engine="celery")
    Run.objects.filter(pk=run.pk).update(engine=engine, handed_over=taken)
    run.refresh_from_db()
    return run


def told(run: Run, name: str) -> Message:
    return post(run, HoldRequested(at=now(), by="x"), message_id=name)


def delivered() -> set[str]:
    return set(Message.objects.exclude(delivered_at=None).values_list("message_id", flat=True))


def later(**span: float) -> AbstractContextManager[None]:
    return after(**span)


def unreachable(_: object) -> None:
    raise Unreachable("no answer", field="engine")


def broken_for(*names: str) -> Callable[[Any], object]:
    def does(given: Any) -> None:
        if str(given) in names:
            raise RuntimeError("broken")

    return does


def test_a_backlog_of_one_engine_does_not_starve_another(temporal: Temporal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MOST_AT_ONCE", 5)
    temporal.is_there, temporal.does = False, unreachable
    far = run_on("temporal")
    for number in range(6):
        told(far, f"t{number}")
    told(run_on("celery"), "c")
    assert relay.relay() == 1 and delivered() == {"c"}
    assert not Message.objects.exclude(retry_at=None).exists(), "an engine that comes back gets all of it at once"


def test_one_message_that_breaks_keeps_no_other_waiting(temporal: Temporal, caplog: pytest.LogCaptureFixture) -> None:
    temporal.does = broken_for("bad")
    broken, sound = run_on("temporal"), run_on("temporal")
    told(broken, "bad")
    told(sound, "good")
    told(broken, "after it")
    with caplog.at_level(logging.ERROR):
        assert relay.relay() == 1
    assert delivered() == {"good"}, "those of one run keep their order"
    assert "message bad of run" in caplog.text and "RuntimeError: broken" in caplog.text
    assert relay.relay() == 0 and temporal.got == ["bad", "good"], "it is put off"
    temporal.does = lambda _: None
    with later(seconds=6):
        assert relay.relay() == 2
    assert temporal.got == ["bad", "good", "bad", "after it"]


def test_one_run_that_cannot_be_begun_keeps_no_other_waiting(temporal: Temporal) -> None:
    first, second = run_on("temporal", taken=False), run_on("temporal", taken=False)
    temporal.does = broken_for(str(first))
    told(first, "too early")
    assert relay.relay() == 1 and temporal.got == [str(first), str(second)]
    assert relay.relay() == 0
    temporal.does = lambda _: None
    with later(seconds=6):
        assert relay.relay() == 2 and delivered() == {"too early"}


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 5), (5, 30), (600, 60)])
def test_what_is_old_is_tried_more_seldom(temporal: Temporal, minutes: int, seconds: int) -> None:
    temporal.does = broken_for("bad")
    told(run_on("temporal"), "bad")
    with later(minutes=minutes):
        relay.relay()
        again = Message.objects.get().retry_at
        assert again is not None and abs((again - now()).total_seconds() - seconds) < 2


def test_an_engine_that_is_there_and_leaves_calls_unanswered_is_asked_a_few_times(temporal: Temporal) -> None:
    temporal.does = unreachable
    for number in range(5):
        told(run_on("temporal"), f"t{number}")
    told(run_on("celery"), "c")
    assert relay.relay() == 1 and temporal.got == ["t0", "t1", "t2"]
    temporal.does = lambda _: None
    assert relay.relay() == 2 and delivered() == {"c", "t3", "t4"}, "those behind have their turn"
    with later(seconds=6):
        assert relay.relay() == 3


def test_an_engine_that_takes_long_holds_one_thread(temporal: Temporal) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        reached.set()
        go_on.wait(PATIENCE_SECONDS)

    temporal.does = slow
    told(run_on("temporal"), "t")

    def passed() -> None:
        relay.relay()
        connection.close()

    first = threading.Thread(target=passed)
    first.start()
    try:
        assert reached.wait(PATIENCE_SECONDS)
        told(run_on("celery"), "c")
        assert relay.relay() == 1 and delivered() == {"c"} and temporal.got == ["t"]
    finally:
        go_on.set()
        first.join(PATIENCE_SECONDS)


def test_a_worker_keeps_its_lease_while_it_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    renewed, passes, over = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def slow() -> None:
        passes.release()
        for _ in range(2):
            while not renewed.acquire(timeout=0.05):
                if over.is_set():
                    return
        raise RuntimeError("unheard of")

    monkeypatch.setattr(worker, "relay", slow)
    monkeypatch.setattr(lease, "renew", lambda *_, **__: renewed.release())
    with worker.beside("w"):
        assert passes.acquire(timeout=PATIENCE_SECONDS) and passes.acquire(timeout=PATIENCE_SECONDS), (
            "it goes on after what nobody foresaw"
        )
        over.set()


def test_what_waits_is_found_along_the_index_of_what_waits() -> None:
    told(run_on("celery"), "c")
    if connection.vendor == "sqlite":  # PostgreSQL reads a table of one row whole
        waiting = Message.objects.filter(delivered_at=None, run__engine="celery", run__handed_over=True)
        assert "message_to_deliver" in relay._due(waiting).explain()
        assert "run_to_hand_over" in relay._due(Run.objects.filter(engine="celery", handed_over=False)).explain()


def test_what_comes_after_a_message_that_was_put_off_waits_behind_it(temporal: Temporal) -> None:
    temporal.does = broken_for("bad")
    run = run_on("temporal")
    told(run, "bad")
    relay.relay()
    told(run, "newer")
    relay.relay()
    assert temporal.got == ["bad"]
    temporal.does = lambda _: None
    with later(minutes=2):
        relay.relay()
        relay.relay()
    assert temporal.got == ["bad", "bad", "newer"]
