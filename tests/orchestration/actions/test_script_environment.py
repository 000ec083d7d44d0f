"""What a saga puts into a script's environment reaches the script, and no program of the host before it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestration.actions.process import confined, environment
from orchestration.core.definition import DefinitionErrors, validate_definition
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.orchestration.actions.test_script import Build

OBEYED = (
    "LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_PROFILE", "LD_BIND_NOW",
    "GLIBC_TUNABLES", "MALLOC_TRACE", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR", "HOSTALIASES", "RES_OPTIONS",
    "BASH_ENV", "ENV", "CDPATH", "GLOBIGNORE", "BASH_FUNC_exec", "TMPDIR", "DYLD_INSERT_LIBRARIES",
    "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PERL5OPT", "PERL5LIB", "RUBYOPT",
    "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND", "XDG_RUNTIME_DIR", "ZEN_SCRIPT_X", "bash_env",
)  # fmt: skip
"""Variables that loaders, shells, libraries and interpreters obey before a program's first own line."""


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What every program of the host was started with."""
    found: list[dict[str, Any]] = []
    real = subprocess.Popen

    def noting(command: Any, **more: Any) -> Any:
        found.append({"command": command, "env": more["env"]})
        return real(command, **more)

    monkeypatch.setattr(subprocess, "Popen", noting)
    return found


@pytest.mark.parametrize("name", OBEYED)
def test_no_variable_of_a_saga_reaches_a_program_of_the_host(
    call: Build,
    allowed: str,
    begun: list[dict[str, Any]],
    name: str,
) -> None:
    value = "/zen-no-such/hidden-value"
    result = perform(call(type="script", script=f'printf %s "${name}"', env={name: value}))
    assert result.output == {"stdout": value, "exit_code": 0}, result.error
    (started,) = begun
    assert set(started["env"]) == {*confined.HOST, confined.MARK}
    assert {key: started["env"][key] for key in confined.HOST} == confined.HOST
    assert "hidden-value" not in str(started["command"])


def test_the_loader_of_the_host_writes_no_file_for_a_saga(call: Build, sandboxed: None, tmp_path: Path) -> None:
    env = {"LD_DEBUG": "statistics", "LD_DEBUG_OUTPUT": f"{tmp_path}/x"}
    result = perform(call(type="script", script="echo ran", env=env))
    assert result.outcome is Outcome.SUCCEEDED and list(tmp_path.iterdir()) == []


def test_a_shell_of_the_host_reads_no_file_for_a_saga(call: Build, sandboxed: None, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"touch {tmp_path}/sprung\n")
    perform(call(type="script", script="#!/bin/sh\necho ran", env={"ENV": str(trap), "BASH_ENV": str(trap)}))
    assert not (tmp_path / "sprung").exists()


def test_the_limits_stay_whatever_the_environment_says(call: Build, allowed: str) -> None:
    env = {"PATH": "/nowhere", "IFS": "0123456789=", "ZEN_SCRIPT": "another mark"}
    text = 'ulimit -n; ulimit -d; ulimit -f; ulimit -c; [ "$ZEN_SCRIPT" = "another mark" ] && echo no mark; exit 0'
    result = perform(call(type="script", script=text, env=env))
    assert isinstance(result.output, dict)
    assert str(result.output["stdout"]).split() == ["1024", str(1024**2), str(256 * 1024), "0"]


def test_any_value_arrives_as_it_is(call: Build, allowed: str) -> None:
    values = {"A": "two\nlines\n", "B": "--bind\n/\n/host", "C": "'\"$(id)`\\", "D": "", "E": "üé𝄞", "F": "x" * 100_000}
    text = "#!/usr/bin/perl\nuse JSON::PP; my %e = map { $_ => $ENV{$_} } 'A'..'F';\n"
    text += "utf8::decode($e{$_}) for keys %e; print JSON::PP->new->utf8->encode(\\%e);"
    assert perform(call(type="script", script=text, env=values)).output == values


@pytest.mark.parametrize("value", ["a\0--bind\0/\0/host", "\ud800"])
def test_what_no_environment_holds_is_a_clean_failure(call: Build, allowed: str, value: str) -> None:
    result = perform(call(type="script", script="true", env={"BAD": value}))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "`env`" in result.error


def test_too_many_variables_are_a_clean_failure(call: Build, allowed: str) -> None:
    many = {f"V{number}": "x" for number in range(environment.MOST - 20)}
    assert perform(call(type="script", script="true", env=many)).outcome is Outcome.SUCCEEDED
    result = perform(call(type="script", script="true", env=many | {f"W{number}": "x" for number in range(99)}))
    assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "`env`" in result.error


@pytest.mark.parametrize("option", ["--share-net", "--share-net bash", "--dev-bind /", "--args 0", "--bind / /x sh"])
def test_a_first_line_is_no_option_of_the_sandbox(call: Build, sandboxed: None, option: str) -> None:
    result = perform(call(type="script", script=f"#!{option}\nls /root; cat /proc/net/dev"))
    assert result.outcome is Outcome.FAILED and option.split()[0] in result.error


def test_network_is_no_key_of_a_script(call: Build, sandboxed: None) -> None:
    """Of a definition that was stored when it was read: its run goes on, without a network."""
    text = "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '"
    assert perform(call(type="script", script=text, network=True)).output == {"stdout": "lo\n", "exit_code": 0}


@pytest.mark.parametrize("field", ["forward_action", "compensation_action", "probe_action"])
@pytest.mark.parametrize(
    ("key", "meant"), [("network", ""), ("enviroment", ""), ("envs", "'env'"), ("scirpt", "'script'"), ("user", "")]
)
def test_an_unknown_key_of_a_script_is_refused(field: str, key: str, meant: str) -> None:
    step = {"step_id": "s", "forward_action": {"type": "script", "script": "true"}}
    step |= {field: {"type": "script", "script": "true", key: True}}
    with pytest.raises(DefinitionErrors) as caught:
        validate_definition({"saga_id": "a", "steps": [step]})
    (only,) = caught.value.problems
    assert (only.step, only.field) == ("s", f"{field}.{key}") and meant in only.remedy and "script" in only.message


def test_a_probe_by_a_script_may_expect() -> None:
    probe = {"type": "script", "script": "echo '{}'", "expect": {"there": True}}
    step = {"step_id": "s", "forward_action": {"type": "script", "script": "true"}, "probe_action": probe}
    assert json.loads(validate_definition({"saga_id": "a", "steps": [step]}).model_dump_json())
