"""The buffer: never waited for, bounded, and patient with a database that is away."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from foundation import telemetry
from orchestration.attempt_log import buffer, rows
from orchestration.attempt_log.buffer import BUFFER
from orchestration.models import RunLine
from tests.orchestration.attempt_log.conftest import Under, texts
from tests.support.waiting import wait_until

log = logging.getLogger("shop.orders")


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """This test's transaction is on this thread's connection, so it stays."""
    monkeypatch.setattr(buffer, "heal", lambda: None)


def away(*_: Any) -> int:
    raise OperationalError("the server closed the connection")


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
def test_while_the_database_is_away_lines_are_kept(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(rows, "write", away)
        with under():
            log.info("first")
        assert not BUFFER.flush() and not BUFFER.flush()
        with under():
            log.info("second")
    assert BUFFER.flush()
    assert texts() == ["first", "second"]


@pytest.mark.django_db
def test_a_full_buffer_drops_what_comes_and_says_how_much(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "MOST_LINES", 2)
    telemetry.take()
    with under():
        for n in range(5):
            log.info("line %d", n)
        BUFFER.flush()
    BUFFER.flush()
    assert texts() == ["line 0", "line 1", "3 lines left out"]
    assert telemetry.take()["zen_log_lines_dropped_total", ()].count == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
def test_lines_that_cannot_be_written_do_not_stop_those_after_them(
    under: Under, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> int:
        raise ValueError("a bug")

    with monkeypatch.context() as bug, under():
        bug.setattr(rows, "write", broken)
        log.info("lost")
        assert BUFFER.flush()
    with under(attempt=2):
        log.info("kept")
    assert BUFFER.flush()
    assert texts() == ["1 line left out", "kept"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_a_thread_of_its_own_writes_what_is_there_within_about_a_second(under: Under) -> None:
    with under():
        log.info("one")
        wait_until(lambda: texts() == ["one"], lambda: f"{texts()}")
        log.info("two")
    wait_until(lambda: texts() == ["one", "two"], lambda: f"{texts()}")


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_is_there_already_writes_nothing_where_it_is_not_wanted(
    under: Under, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "EVERY_SECONDS", 0.02)
    with under():
        log.info("one")
        wait_until(lambda: texts() == ["one"], lambda: f"{texts()}")
        monkeypatch.setattr(BUFFER, "automatic", False)
        log.info("two")
        time.sleep(0.3)
        assert texts() == ["one"]
        assert BUFFER.flush()
    assert texts() == ["one", "two"]


@pytest.mark.django_db(transaction=True)
def test_an_outage_ends_and_nobody_has_to_ask_again(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    write = rows.write

    def restless(lines: Any) -> int:
        tried.append(1)
        return away() if len(tried) < 3 else write(lines)

    monkeypatch.setattr(buffer, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(rows, "write", restless)
    with under():
        log.info("patient")
    wait_until(lambda: texts() == ["patient"], lambda: f"{texts()} after {len(tried)} tries")


PROCESS = """
    import logging, os, signal, sys, time
    import django
    django.setup()
    from orchestration.attempt_log.buffer import BUFFER
    from orchestration.attempt_log.current import attempt
    log = logging.getLogger("shop")
    names = dict(workflow_id="w", engine="celery", step_id="a", purpose="forward", iteration=1, attempt=1, claim=1)
    with attempt(run_id=1, **names):
        log.info("before")
        BUFFER.drain(20)
        print("written", flush=True)
        {then}
"""
Ends = Callable[[str], tuple[int, list[str]]]


@pytest.fixture
def ends(process_env: dict[str, str]) -> Ends:
    """Run a process that has written 'before' and then does something: its exit code, and the lines that are there."""

    def ran(then: str) -> tuple[int, list[str]]:
        code = textwrap.dedent(PROCESS.replace("{then}", then.strip()))
        done = subprocess.run(
            [sys.executable, "-c", code], env=process_env, capture_output=True, text=True, timeout=120, check=False
        )
        assert "written" in done.stdout, done.stderr
        return done.returncode, list(RunLine.objects.order_by("n").values_list("text", flat=True))

    return ran


def test_a_process_that_ends_writes_its_last_lines_first(ends: Ends) -> None:
    assert ends("log.info('after')") == (0, ["before", "after"])


def test_a_killed_process_loses_no_more_than_was_not_yet_written(ends: Ends) -> None:
    assert ends("log.info('after'); os.kill(os.getpid(), signal.SIGKILL)") == (-signal.SIGKILL, ["before"])


def test_a_child_process_writes_its_own_lines_and_none_of_its_parents(ends: Ends) -> None:
    then = """
        with BUFFER._writing:
            log.info("parent")
            pid = os.fork()
            if not pid:
                log.info("child")
                BUFFER.drain(20)
                os._exit(0)
            os.waitpid(pid, 0)
        BUFFER.drain(20)
"""
    code, lines = ends(then)
    assert code == 0 and sorted(lines) == ["before", "child", "parent"]
