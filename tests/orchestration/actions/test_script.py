"""Scripts: off by default; then bounded in time, memory, output and reach, and never left behind."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable

import pytest
from pytest_django import Settings

from orchestration.actions.base import Call
from orchestration.actions.perform import perform
from orchestration.core.words import Outcome
from tests.servers.fixtures import missing

Build = Callable[..., Call]


@pytest.fixture(params=["sandboxed", "unsafe"])
def allowed(request: pytest.FixtureRequest, settings: Settings) -> str:
    if request.param == "sandboxed" and shutil.which("bwrap") is None:
        missing("bubblewrap", "install the package bubblewrap")
    settings.ZEN_SCRIPTS = request.param
    return str(request.param)


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


def test_a_script_that_takes_too_long_is_killed_with_all_its_children(call: Build, allowed: str) -> None:
    text = "trap '' TERM; sleep 987 & sleep 987"
    started = time.monotonic()
    result = perform(call(type="script", script=text, seconds=0.5))
    assert result.outcome is Outcome.UNKNOWN and time.monotonic() - started < 5
    time.sleep(0.2)
    assert subprocess.run(["pgrep", "-f", "sleep 987"], capture_output=True, check=False).stdout == b""


def test_a_cancelled_script_is_killed(call: Build, allowed: str) -> None:
    asked = call(type="script", script="sleep 60")
    asked.cancelled.set()
    assert "cancelled" in perform(asked).error


def test_output_is_kept_to_a_bound(call: Build, allowed: str) -> None:
    result = perform(call(type="script", script="head -c 1000000 /dev/zero | tr '\\0' x"))
    assert isinstance(result.output, dict) and len(str(result.output["stdout"])) == 65536
    assert result.detail["truncated"] is True


def test_the_environment_is_clean(call: Build, allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "yes")
    result = perform(call(type="script", script="env"))
    assert "LEAK" not in str(result.output)


@pytest.mark.parametrize("allowed", ["sandboxed"], indirect=True)
def test_the_sandbox_hides_the_machine_and_the_network(call: Build, allowed: str) -> None:
    text = "ls /root /home /etc 2>&1; cat /proc/net/dev | tail -n +3 | cut -d: -f1"
    result = perform(call(type="script", script=text))
    assert "eth" not in str(result.output) and "passwd" not in str(result.output)
