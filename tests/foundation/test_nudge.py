"""Whoever rings never waits for a broker, whatever state that is in."""

from __future__ import annotations

import socket
import threading

import pytest
from celery import current_app

from foundation import nudge
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from zen_project.embedded.ports import free_port


@pytest.fixture
def nudger(monkeypatch: pytest.MonkeyPatch) -> nudge._Nudger:
    made = nudge._Nudger()
    monkeypatch.setattr(nudge, "_nudger", made)
    monkeypatch.setattr(nudge, "_hosts", {})
    return made


def broker_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", url)


def test_a_broker_that_takes_a_connection_and_says_nothing(
    nudger: nudge._Nudger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        broker_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", monkeypatch)
        for _ in range(1000):
            nudge.nudge_workers("orchestration.work")  # would hang here, as nobody ever answers
        wait_until(lambda: nudger._failing, "the nudging thread to give up")


@pytest.mark.slow
def test_a_broker_that_is_gone(nudger: nudge._Nudger, monkeypatch: pytest.MonkeyPatch) -> None:
    broker_at(f"redis://127.0.0.1:{free_port()}/0", monkeypatch)
    nudge.nudge_workers("orchestration.work")
    wait_until(lambda: nudger._failing, "the nudging thread to find nobody")
    nudge.flush(0.01)


def test_what_is_rung_many_times_while_it_is_away_is_one_ring(
    nudger: nudge._Nudger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, free, busy = list[str](), threading.Event(), threading.Event()

    def send(names: list[str]) -> None:
        busy.set()
        free.wait(PATIENCE_SECONDS)
        sent.extend(names)

    broker_at("redis://127.0.0.1:1/0", monkeypatch)
    monkeypatch.setattr(nudger, "_send", send)
    nudge.nudge_workers("a")
    assert busy.wait(PATIENCE_SECONDS)
    for _ in range(100):
        nudge.nudge_workers("a")
        nudge.nudge_workers("b")
    free.set()
    wait_until(lambda: len(sent) == 3, "the rings to go out")
    assert sent == ["a", "a", "b"]


def test_threads_of_this_process_are_woken_without_a_broker(
    nudger: nudge._Nudger, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_at("redis://127.0.0.1:1/0", monkeypatch)
    woken: list[str] = []
    nudge.serve_here("approvals.presses", lambda: woken.append("presses"))
    nudge.nudge_workers("approvals.presses")
    assert woken == ["presses"] and nudger._thread is None
    nudge.stop_serving("approvals.presses")
    assert not nudge.wake("approvals.presses")
