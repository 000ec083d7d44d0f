"""Who gets a heartbeat, without a server."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
import time
from typing import Any

import pytest

from orchestration.workers.parent_process import is_stopped
from orchestration.workers.temporal.heartbeat_sending import QUIET_SECONDS, Beats
from orchestration.workers.temporal.shared_attempts import SharedAttempts
from tests.support.waiting import PATIENCE_SECONDS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def begin(number: int, limit: float = 60.0) -> dict[str, Any]:
    return {"begin": number, "token": base64.b64encode(b"token").decode(), "limit": limit}


def test_what_has_just_begun_and_what_has_ended_gets_none() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.take(begin(1))
    assert beats.due() == []
    clock.now = 1.0
    assert [flight.token for flight in beats.due()] == [b"token"]
    beats.take({"end": 1})
    assert beats.due() == []


def test_a_worker_that_says_nothing_is_waited_for_until_the_limit_and_a_living_one_for_ever() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.take(begin(1, limit=60.0))
    clock.now = 59.0
    assert beats.due()
    clock.now = 61.0
    assert not beats.due()
    beats.take({})
    assert beats.due()
    clock.now += QUIET_SECONDS + 1
    assert not beats.due()


def test_a_lost_one_gets_none() -> None:
    clock = Clock()
    beats = Beats(clock)
    beats.take(begin(1))
    clock.now = 1.0
    beats.due()[0].lost = True
    assert beats.due() == []


def test_a_stopped_process_is_seen() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        assert not is_stopped(sleeper.pid)
        os.kill(sleeper.pid, signal.SIGSTOP)
        os.waitpid(sleeper.pid, os.WUNTRACED)
        assert is_stopped(sleeper.pid)
        sleeper.kill()
    assert not is_stopped(2**22 + 1)


def test_whoever_comes_for_an_attempt_in_flight_takes_what_comes_of_it() -> None:
    attempts: SharedAttempts[str] = SharedAttempts()
    begun, go_on, made, answers = threading.Event(), threading.Event(), [], []

    def work() -> str:
        made.append(1)
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        return "done"

    def come() -> None:
        answers.append(attempts.run("a", work))

    threads = [threading.Thread(target=come) for _ in range(3)]
    threads[0].start()
    assert begun.wait(PATIENCE_SECONDS)
    for thread in threads[1:]:
        thread.start()
    assert attempts.run("b", lambda: "another") == "another"
    waiting = attempts._running["a"]._condition
    while len(waiting._waiters) < 2:  # type: ignore[attr-defined]
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert answers == ["done"] * 3 and made == [1]
    assert attempts.run("a", lambda: "anew") == "anew"


def test_an_error_is_everybodys_and_is_forgotten() -> None:
    attempts: SharedAttempts[str] = SharedAttempts()

    def break_() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        attempts.run("a", break_)
    assert attempts.run("a", lambda: "anew") == "anew"
