"""A program under its keeper: no process of it outlives its end, whoever dies and however."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from orchestration.agents.process import strays
from orchestration.agents.process.group import LONGEST_LINE, Program
from tests.support.waiting import PATIENCE_SECONDS, wait_until

MARK = "ZEN_TEST_GROUP"
DAEMON = (
    "import os, sys, time\n"
    "for _ in range(2):\n"
    "    if os.fork(): continue\n"
    "    os.setsid()\n"
    "    if os.fork(): os._exit(0)\n"
    "    time.sleep(3600)\n"
    "print('ready', flush=True)\n"
    "time.sleep(float(sys.argv[1]))\n"
)


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def started(tmp_path: Path, mark: str, *words: str) -> Program:
    return Program([sys.executable, *words], cwd=tmp_path, env={"PATH": os.environ["PATH"], MARK: mark})


def first_line(program: Program) -> bytes:
    line = program.next_line(PATIENCE_SECONDS)
    assert line is not None
    return line.data


def test_it_has_no_descriptor_but_its_three(tmp_path: Path, mark: str) -> None:
    """A worker's sockets, locks and pipes, left open for children, are nothing for an agent."""
    mine, yours = os.pipe()
    os.set_inheritable(mine, True)
    os.set_inheritable(yours, True)
    program = started(tmp_path, mark, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')), flush=True)")
    assert first_line(program) == b"['0', '1', '2', '3']"  # the last is that of the folder that is listed
    program.end()
    os.close(mine)
    os.close(yours)


def test_daemons_of_its_own_sessions_end_with_it(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", DAEMON, "3600")
    assert first_line(program) == b"ready"
    wait_until(lambda: len(strays.marked(MARK, mark)) >= 4, "two daemons, their program and its keeper")
    assert program.end() is None
    assert strays.marked(MARK, mark) == []


def test_daemons_end_when_the_program_ends_by_itself(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", DAEMON, "0")
    assert program.wait(PATIENCE_SECONDS) == 0
    assert strays.marked(MARK, mark) == []
    program.end()


SLEEPER = "import time; print('ready', flush=True); time.sleep(3600)"
WORKER = (
    "import json, os, pathlib, sys\n"
    "from orchestration.agents.base import Sandbox\n"
    "from orchestration.agents.process.group import Program\n"
    "from orchestration.agents.process.sandbox import confined\n"
    "cwd, env = pathlib.Path('.').resolve(), dict(os.environ)\n"
    "words = [sys.executable, '-c', sys.argv[1], '3600']\n"
    "words = confined(words, cwd=cwd, sandbox=Sandbox(mode=sys.argv[2]), env=env)\n"
    "program = Program(words, cwd=cwd, env=env)\n"
    "print(program.next_line(60).data.decode(), program.keeper_pid, flush=True)\n"
    "program.next_line(3600)\n"
)


@pytest.mark.parametrize("who", ["worker", "keeper"])
@pytest.mark.parametrize("sandbox", ["off", "if_possible"])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the group alone is ended")
def test_kill_9_of_the_worker_or_of_the_keeper_ends_the_program(
    tmp_path: Path, mark: str, who: str, sandbox: str
) -> None:
    env = {**os.environ, MARK: mark, "PYTHONPATH": str(Path(__file__).parents[4])}
    forks = who == "worker" or sandbox == "if_possible"  # without keeper and sandbox daemons are on their own
    command = [sys.executable, "-c", WORKER, DAEMON if forks else SLEEPER, sandbox]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        said, keeper = worker.stdout.readline().split()
        assert said == "ready"
        os.kill(worker.pid if who == "worker" else int(keeper), signal.SIGKILL)
        wait_until(lambda: set(strays.marked(MARK, mark)) <= {worker.pid}, "its processes to be gone")
        worker.kill()


def test_its_exit_code_and_its_last_words_are_kept(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", "import sys; print('out'); sys.exit('so long')")
    assert first_line(program) == b"out"
    end = program.next_line(PATIENCE_SECONDS)
    assert end is not None and end.at_end
    assert program.wait(PATIENCE_SECONDS) == 1 and program.errors() == "so long" and program.end() == 1


def test_a_signal_is_told_as_shells_do(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", "import os; os.kill(os.getpid(), 15)")
    assert program.wait(PATIENCE_SECONDS) == 128 + 15
    program.end()


def test_a_program_that_is_not_there_ends_with_127(tmp_path: Path) -> None:
    program = Program(["/no/such/program"], cwd=tmp_path, env={})
    assert program.wait(PATIENCE_SECONDS) == 127 and "/no/such/program" in program.errors()
    program.end()


def test_what_is_said_is_heard_and_the_end_of_input_too(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", "import sys; print(sys.stdin.read()[::-1])")
    program.say(b"abc")
    program.close_stdin()
    assert first_line(program) == b"cba"
    program.end()


def test_a_program_that_reads_nothing_stops_nobody(tmp_path: Path, mark: str) -> None:
    program = started(tmp_path, mark, "-c", SLEEPER)
    assert first_line(program) == b"ready"
    program.say(b"x" * 10_000_000)
    program.end()
    assert strays.marked(MARK, mark) == []


def test_a_line_without_end_is_cut(tmp_path: Path, mark: str) -> None:
    text = f"print('x' * {LONGEST_LINE * 2}); print('after')"
    program = started(tmp_path, mark, "-c", text)
    cut = program.next_line(PATIENCE_SECONDS)
    assert cut is not None and cut.cut and len(cut.data) == LONGEST_LINE
    assert first_line(program) == b"after"
    program.end()


def test_strays_are_found_by_what_they_inherited_and_ended(mark: str) -> None:
    process = subprocess.Popen(["sleep", "3600"], env={MARK: mark, "PATH": os.environ["PATH"]})
    wait_until(lambda: strays.marked(MARK, mark) == [process.pid], "the process to be there")
    assert strays.marked(MARK, "another") == []
    reaped = threading.Thread(target=process.wait)
    reaped.start()
    assert strays.end_marked(MARK, mark) == []
    reaped.join()
