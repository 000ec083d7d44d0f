"""What is measured is brought to the sink each interval and at the end, again if it was refused, and by forks once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping

import pytest

from foundation.telemetry import Series, Values, count, send_now, send_to, take
from tests.support.waiting import PATIENCE_SECONDS

FORKS = """
import os
from foundation.telemetry import count, send_to
send_to(lambda taken: os.write(1, f"{[(key[0], one.count) for key, one in taken.items()]}\\n".encode()), 3600)
count("a_total", 5)
child = os.fork()
count("b_total" if child else "c_total")
os.waitpid(child, 0) if child else None
"""


@pytest.fixture(autouse=True)
def _no_sink() -> Iterator[None]:
    take()
    yield
    send_to(None)
    take()


def test_a_thread_brings_it_by_itself() -> None:
    came, seen = threading.Event(), []

    def sink(measured: Mapping[Series, Values]) -> None:
        seen.append(dict(measured))
        came.set()

    send_to(sink, 0.05)
    count("a_total")
    assert came.wait(PATIENCE_SECONDS) and seen == [{("a_total", ()): Values(1)}]


def test_a_sink_that_is_replaced_is_brought_nothing_any_more() -> None:
    came = threading.Event()
    send_to(lambda _: came.set(), 0.02)
    count("a_total")
    assert came.wait(PATIENCE_SECONDS)
    send_to(None)
    time.sleep(0.1)  # several times its interval
    count("b_total")
    time.sleep(0.2)
    assert take() == {("b_total", ()): Values(1)}


def test_what_a_sink_refuses_is_brought_again_with_what_came_since(caplog: pytest.LogCaptureFixture) -> None:
    away, seen = [True], []

    def sink(measured: Mapping[Series, Values]) -> None:
        if away:
            raise OSError("no database")
        seen.append(dict(measured))

    send_to(sink, 3600)
    count("a_total")
    send_now()
    send_now()
    count("a_total", 2)
    away.clear()
    send_now()
    assert seen == [{("a_total", ()): Values(3)}]
    assert caplog.text.count("brought again: OSError: no database") == 1


def test_a_process_brings_the_rest_when_it_ends_and_its_fork_only_its_own() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[('c_total', 1)]", "[('a_total', 5), ('b_total', 1)]"], done.stderr
