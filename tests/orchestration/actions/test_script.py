"""Scripts: off by default; then bounded in time, memory, output and reach, and never left behind."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.waiting import wait_until

Build = Callable[..., Call]


def test_scripts_are_off_by_default(call: Build) -> None:
    result = perform(call(type="script", script="true"))
    assert result.outcome is Outcome.FAILED and "ZEN_SCRIPTS" in result.error


def test_values_reach_a_script_as_environment_and_an_object_comes_back(call: Build, allowed: str) -> None:
    text = 'printf \'{"n": %s, "key": "%s"}\' "$N" "$ZEN_IDEMPOTENCY_KEY"'
    result = perform(call(type="script", script=text, env={"N": 7}))
    assert result.output == {"n": 7, "key": "w:s:forward:1"}


@pytest.mark.parametrize(("code", "outcome"), [(0, "succeeded"), (1, "failed"), (75, "retryable")])
def test_exit_codes(call: Build, allowed: str, code: int, outcome: str) -> None:
    assert perform(call(type="script", script=f"exit {code}")).outcome == outcome


# --- its end ----------------------------------------------------------------------------------------------------------


def alive(seconds: str) -> bool:
    """Whether a process sleeps for so many seconds; a zombie does not."""
    return subprocess.run(["pgrep", "-f", f"sleep {seconds}"], capture_output=True, check=False).stdout != b""


FAMILY = "trap '' TERM HUP INT; sleep {0} & setsid sleep {0} & (setsid sh -c 'sleep {0} & sleep {0}' &) ; sleep 0.2"


@pytest.mark.slow
def test_a_script_that_takes_too_long_is_killed_with_all_its_children(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script=f"{FAMILY.format(98761)}; sleep 98761", seconds=1))
    assert result.outcome is Outcome.UNKNOWN and result.maybe and "timed out after 1 s" in result.error
    assert not alive("98761")


def test_a_script_that_ends_leaves_no_children_behind(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script=f"{FAMILY.format(98762)}; echo done"))
    assert result.output == {"stdout": "done\n", "exit_code": 0} and not alive("98762")


def test_a_cancelled_script_is_killed_with_all_its_children(call: Build, allowed: str) -> None:
    asked = call(type="script", script=f"{FAMILY.format(98763)}; sleep 98763", seconds=60)
    threading.Timer(0.6, asked.cancelled.set).start()
    result = perform(asked)
    assert result.outcome is Outcome.UNKNOWN and "was cancelled" in result.error and not alive("98763")


@pytest.mark.slow
def test_a_process_that_hides_ends_with_its_cpu_time(call: Build, tmp_path: Path, settings: Settings) -> None:
    """Unsafe scripts can shake off the mark that they are known by; their limits stay."""
    settings.ZEN_SCRIPTS = "unsafe"
    file = tmp_path / "pid"
    hides = f"env -i setsid /bin/sh -c 'echo $$ >{file}; while :; do :; done' & sleep 0.5"
    perform(call(type="script", script=hides, seconds=1))
    pid = int(file.read_text())
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "its end")


# --- its bounds -------------------------------------------------------------------------------------------------------


def test_memory_is_bounded(call: Build, allowed: str) -> None:
    text = """perl -e 'my $x = "x" x %d; print length $x'"""
    assert perform(call(type="script", script=text % 300_000_000)).output == {"stdout": "300000000", "exit_code": 0}
    result = perform(call(type="script", script=text % 1_500_000_000))
    assert result.outcome is Outcome.FAILED and "memory" in result.error


def test_a_file_is_bounded(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script="head -c 300000000 /dev/zero >big; stat -c %s big"))
    assert result.output == {"stdout": f"{256 * 1024**2}\n", "exit_code": 0}


def test_open_files_are_bounded(call: Build, allowed: str) -> None:
    text = "for n in $(seq 2000); do exec {fd}</dev/null || exit 9; done; echo all"
    result = perform(call(type="script", script=text))
    assert result.outcome is Outcome.FAILED and "Too many open files" in result.error


def test_cpu_time_and_processes_are_bounded(call: Build, allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = perform(call(type="script", script="ulimit -t; ulimit -u; ulimit -c", seconds=7.5))
    assert isinstance(result.output, dict) and result.output["stdout"] == "9\n256\n0\n"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
def test_an_object_with_a_number_that_cannot_be_kept_is_no_text(call: Build, allowed: str, number: str) -> None:
    result = perform(call(type="script", script=f"echo '{{\"n\": {number}}}'"))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, True) and "number that JSON does not know" in result.error
    other = perform(call(type="script", script=f"echo '{number}'"))
    assert other.output == {"stdout": f"{number}\n", "exit_code": 0}


def test_output_is_kept_to_a_bound(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script="head -c 1000000 /dev/zero | tr '\\0' x"))
    assert isinstance(result.output, dict) and len(str(result.output["stdout"])) == 65536
    assert result.detail["truncated"] is True


def test_the_environment_is_clean(call: Build, allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "yes")
    result = perform(call(type="script", script="env | cut -d= -f1; ls /proc/self/fd; cat", env={"MINE": "x"}))
    assert isinstance(result.output, dict)
    names = set(str(result.output["stdout"]).split()) - {"PWD", "OLDPWD", "SHLVL", "_"}
    ours = {"ZEN_WORKFLOW_ID", "ZEN_STEP_ID", "ZEN_PURPOSE", "ZEN_IDEMPOTENCY_KEY", "ZEN_SCRIPT"}
    assert names == {"PATH", "LANG", "HOME", "MINE", *ours, "0", "1", "2", "3"}  # 3 is the folder that ls reads


# --- how it is started ------------------------------------------------------------------------------------------------


def test_the_first_line_names_the_interpreter(call: Build, allowed: str) -> None:
    perl = "#! /usr/bin/perl -w\nprint '{\"by\": \"', $^X, '\"}';"
    assert perform(call(type="script", script=perl)).output == {"by": "/usr/bin/perl"}
    env = "#!/usr/bin/env perl\nprint 'x';"
    assert perform(call(type="script", script=env)).output == {"stdout": "x", "exit_code": 0}


def test_an_interpreter_that_is_not_there_is_a_clean_failure(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script="#!/usr/bin/none\n"))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "/usr/bin/none" in result.error


def test_more_than_the_system_hands_over_is_a_clean_failure(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script="true", env={"BIG": "x" * 500_000}))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "`env`" in result.error


def test_without_bubblewrap_a_sandboxed_script_is_refused(
    call: Build, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.ZEN_SCRIPTS = "sandboxed"
    monkeypatch.setenv("PATH", str(tmp_path))
    result = perform(call(type="script", script=f"touch {tmp_path}/ran"))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False)
    assert "not run" in result.error and "bubblewrap (bwrap)" in result.error and not (tmp_path / "ran").exists()


def test_the_sandbox_hides_the_machine_and_the_network(call: Build, sandboxed: None) -> None:
    text = "ls /root /home /etc 2>&1; cat /proc/net/dev | tail -n +3 | cut -d: -f1"
    result = perform(call(type="script", script=text))
    assert "eth" not in str(result.output) and "passwd" not in str(result.output)
