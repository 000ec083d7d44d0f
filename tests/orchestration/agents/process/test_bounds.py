"""What a program and all that came of it may have together: past a bound all of it is ended, and it is said why."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from django.test import override_settings

from orchestration.agents.base import UNBOUND, Bounds, Sandbox
from orchestration.agents.endpoints.session import sandbox_of
from orchestration.agents.process.group import Program
from orchestration.agents.process.private import sandbox_of_commands
from orchestration.agents.process.sandbox import bubblewrap
from orchestration.agents.workspace.checks.run import run_check
from orchestration.models import AgentEndpoint
from tests.support.waiting import PATIENCE_SECONDS

HOLDS = "import time\nheld = bytearray({size})\nfor n in range(0, len(held), 4096):\n    held[n] = 1\ntime.sleep(600)\n"
SPREADS = """
import subprocess, sys
for _ in range({number}):
    subprocess.Popen([sys.executable, "-I", "-S", "-c", {child!r}])
import time; time.sleep(600)
"""
MB = 1 << 20
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not show processes")


def said_at_the_end(script: str, folder: Path, bounds: Bounds) -> tuple[str, int | None]:
    """What is said of a program that would go on for ten minutes, and the code that it ended with."""
    program = Program([sys.executable, "-I", "-S", "-c", script], cwd=folder, env={"PATH": os.defpath}, bounds=bounds)
    try:
        assert program.wait(PATIENCE_SECONDS) is not None, "it was not ended"
        said = program.errors()
    finally:
        code = program.end()
    return said or program.errors(), code


def test_a_program_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    said, code = said_at_the_end(HOLDS.format(size=200 * MB), tmp_path, Bounds(memory_bytes=100 * MB))
    assert "MB of memory, more than 100 MB" in said and code == 137


def test_the_memory_of_all_its_processes_counts_together(tmp_path: Path) -> None:
    each = HOLDS.format(size=40 * MB)
    said, _ = said_at_the_end(SPREADS.format(number=4, child=each), tmp_path, Bounds(memory_bytes=120 * MB))
    assert "more than 120 MB" in said


def test_a_program_that_makes_too_many_processes_is_ended_with_all_of_them(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    said, _ = said_at_the_end(SPREADS.format(number=20, child=child), tmp_path, Bounds(processes=10))
    assert "processes and threads, more than 10" in said


def test_within_its_bounds_it_ends_as_it_wants(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import os, time; time.sleep(1.2); print(os.nice(0), flush=True); os._exit(7)",
    ]
    bounds = Bounds(memory_bytes=500 * MB, processes=50, nice=3)
    program = Program(words, cwd=tmp_path, env={"PATH": os.defpath}, bounds=bounds)
    line = program.next_line(PATIENCE_SECONDS)
    code = program.wait(PATIENCE_SECONDS)
    program.end()
    assert line is not None and int(line.data) == min(19, os.nice(0) + 3)
    assert (code, program.errors()) == (7, "")


@pytest.mark.skipif(bubblewrap() is None, reason="bubblewrap is not installed")
def test_files_in_the_private_folder_of_temporary_files_are_bounded_too(tmp_path: Path) -> None:
    sandbox = Sandbox(mode="required", bounds=Bounds(memory_bytes=64 * MB))
    found = run_check("dd if=/dev/zero of=/tmp/much bs=1M count=100", tmp_path, PATIENCE_SECONDS, sandbox)
    assert not found.passed and "No space left" in found.output_excerpt


def test_a_check_that_takes_too_much_has_not_passed_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "greedy.py").write_text(HOLDS.format(size=200 * MB))
    sandbox = Sandbox(mode="if_possible", bounds=Bounds(memory_bytes=100 * MB))
    command = f"'{sys.executable}' -I -S greedy.py"
    found = run_check(command, tmp_path, PATIENCE_SECONDS, sandbox, cancelled=threading.Event())
    assert not found.passed and "more than 100 MB" in found.why


def test_agents_and_checks_have_the_bounds_of_the_site() -> None:
    wanted = Bounds(memory_bytes=300 * MB, processes=70, nice=5)
    with override_settings(ZEN_AGENT_MEMORY_MB=300, ZEN_AGENT_PROCESSES=70, ZEN_AGENT_NICE=5):
        assert sandbox_of(AgentEndpoint(name="one", agent_type="CLAUDE", driver="cli")).bounds == wanted
        assert sandbox_of_commands().bounds == wanted
    with override_settings(ZEN_AGENT_MEMORY_MB=0, ZEN_AGENT_PROCESSES=0, ZEN_AGENT_NICE=0):
        assert sandbox_of_commands().bounds == UNBOUND
