"""What ends is started again, later each time, and not for ever."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.waiting import PATIENCE_SECONDS, wait_until
from zen_project.embedded import supervisor
from zen_project.embedded.process import OwnedServer, ServerFailed
from zen_project.embedded.supervisor import GaveUp, Supervisor, in_words, pause_before

pytestmark = pytest.mark.servers  # processes of its own


def program(tmp_path: Path, code: str) -> OwnedServer:
    return OwnedServer(name="p", argv=[sys.executable, "-c", code], address="", log=tmp_path / "log")


def look_on(house: Supervisor) -> None:
    def nobody_gave_up() -> bool:
        house.look()
        return False

    wait_until(nobody_gave_up, "somebody who gives up", pause=0.02)


@given(ends=st.integers(1, 1000))
def test_pauses_grow_to_a_bound(ends: int) -> None:
    assert 0 < pause_before(ends) <= pause_before(ends + 1) <= supervisor.LONGEST_PAUSE


def test_what_ends_at_once_is_tried_some_times_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.01)
    told: list[str] = []
    with Supervisor(told.append) as house:
        house.keep("worker", lambda: program(tmp_path, "print('begun', flush=True); raise SystemExit(7)"))
        with pytest.raises(GaveUp, match=r"the worker ended by itself \(exit code 7\); that was 6 times in a row"):
            look_on(house)
    assert (tmp_path / "log").read_text().count("begun") == supervisor.MOST_QUICK_ENDS
    assert len(told) == 2 * (supervisor.MOST_QUICK_ENDS - 1)  # each end, each new start


def test_what_lived_long_is_not_held_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.0)
    starts: list[int] = []

    def start() -> OwnedServer:
        starts.append(1)
        if len(starts) > 2 * supervisor.MOST_QUICK_ENDS:
            raise KeyboardInterrupt
        return program(tmp_path, "")

    with Supervisor(lambda _: None) as house:
        house.keep("worker", start)
        with pytest.raises(KeyboardInterrupt):
            look_on(house)


def test_a_server_that_does_not_come_back_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.01)
    first = iter([program(tmp_path, "")])

    def start() -> OwnedServer:
        for server in first:
            return server
        raise ServerFailed("valkey ended at once")

    with Supervisor(lambda _: None) as house:
        house.keep("server", start)
        with pytest.raises(GaveUp, match="valkey ended at once; that was 6 times"):
            look_on(house)


def test_what_is_hopeless_is_not_tried_again(tmp_path: Path) -> None:
    with Supervisor(lambda _: None) as house:
        house.keep("site", lambda: program(tmp_path, "raise SystemExit(3)"), hopeless=lambda: "port 1 is taken")
        with pytest.raises(GaveUp, match=r"the site ended \(exit code 3\): port 1 is taken"):
            look_on(house)


WAITS_FOR_THE_OTHER = """
import signal, sys, time
from pathlib import Path
me, other = Path(sys.argv[1]), Path(sys.argv[2])
def asked(*_):
    me.with_suffix(".asked").touch()
    while not other.with_suffix(".asked").exists():
        time.sleep(0.02)
    sys.exit(5)
signal.signal(signal.SIGTERM, asked)
me.touch()
time.sleep(100)
"""


def test_all_are_asked_to_stop_before_any_is_waited_for(tmp_path: Path) -> None:
    names = [tmp_path / "a", tmp_path / "b"]
    argv = [sys.executable, "-c", WAITS_FOR_THE_OTHER]
    with Supervisor(lambda _: None) as house:
        both = [
            house.keep(me.name, partial(OwnedServer, name=me.name, argv=[*argv, str(me), str(other)], address=""))
            for me, other in (names, names[::-1])
        ]
        for program, name in zip(both, names, strict=True):
            program.wait_until(name.exists, seconds=PATIENCE_SECONDS)
    assert [program.exit_code for program in both] == [5, 5]  # by themselves, and not killed


def test_how_it_ended_is_said_in_words() -> None:
    assert (in_words(137), in_words(3), in_words(255)) == ("killed by SIGKILL", "exit code 3", "exit code 255")
