"""Whoever rings never waits for a broker, whatever state that is in."""

from __future__ import annotations

import socket
import threading

import pytest
from celery import current_app

from notifications import bell
from tests.waiting import PATIENCE_SECONDS, wait_until
from zen_project.embedded.process import free_port


@pytest.fixture
def ringer(monkeypatch: pytest.MonkeyPatch) -> bell._Ringer:
    made = bell._Ringer()
    monkeypatch.setattr(bell, "_ringer", made)
    monkeypatch.setattr(bell, "_hosts", {})
    return made


def broker_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", url)


def test_a_broker_that_takes_a_connection_and_says_nothing(
    ringer: bell._Ringer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        broker_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", monkeypatch)
        for _ in range(1000):
            bell.ring("orchestration.work")  # would hang here, as nobody ever answers
        wait_until(lambda: ringer._failing, "the bell's own thread to give up")


def test_a_broker_that_is_gone(ringer: bell._Ringer, monkeypatch: pytest.MonkeyPatch) -> None:
    broker_at(f"redis://127.0.0.1:{free_port()}/0", monkeypatch)
    bell.ring("orchestration.work")
    wait_until(lambda: ringer._failing, "the bell's own thread to find nobody")
    bell.flush(0.01)


def test_what_is_rung_many_times_while_it_is_away_is_one_ring(
    ringer: bell._Ringer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, free, busy = list[str](), threading.Event(), threading.Event()

    def send(names: list[str]) -> None:
        busy.set()
        free.wait(PATIENCE_SECONDS)
        sent.extend(names)

    broker_at("redis://127.0.0.1:1/0", monkeypatch)
    monkeypatch.setattr(ringer, "_send", send)
    bell.ring("a")
    assert busy.wait(PATIENCE_SECONDS)
    for _ in range(100):
        bell.ring("a")
        bell.ring("b")
    free.set()
    wait_until(lambda: len(sent) == 3, "the rings to go out")
    assert sent == ["a", "a", "b"]


def test_threads_of_this_process_are_woken_without_a_broker(
    ringer: bell._Ringer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_at("redis://127.0.0.1:1/0", monkeypatch)
    woken: list[str] = []
    bell.hosts("approvals.presses", lambda: woken.append("presses"))
    bell.ring("approvals.presses")
    assert woken == ["presses"] and ringer._thread is None
    bell.hosts_no_more("approvals.presses")
    assert not bell.wake("approvals.presses")
