"""The program of a session: started in its sandbox, heard, and what its end says."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.session import Session
from orchestration.agents.process.group import Line, Program
from orchestration.agents.process.proxy import proxy_for
from orchestration.agents.process.sandbox import NoSandbox, bubblewrap, confined
from orchestration.agents.process.state_folders import state_folders
from orchestration.core.agent.session import EndReason

LOOK_SECONDS = 0.2
"""How often a silent session is looked at."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a program gets of the worker's environment, unless the spec says otherwise. Nothing else."""


def start(spec: SessionSpec, command: tuple[str, ...] = ()) -> Program:
    """The spec's command, or this one, in its sandbox. Raises SessionOver, with the remedy, when it cannot start."""
    words = command or spec.command
    if not words:
        raise SessionOver(EndReason.CRASHED, "the endpoint has no command; set one")
    env = environment(spec)
    path = shutil.which(words[0], path=env["PATH"])
    if path is None:
        raise SessionOver(EndReason.CRASHED, f"{words[0]!r} is not installed on this worker, or not on its PATH")
    if not spec.cwd.is_dir():
        raise SessionOver(EndReason.CRASHED, f"the folder {str(spec.cwd)!r} is not there")
    sandbox = replace(spec.sandbox, writable=(*spec.sandbox.writable, *state_folders(path, env)))
    if sandbox.network == "none" and (sandbox.mode == "off" or bubblewrap() is None):
        spec.notices.put("runs without bubblewrap on this worker: its network is open, though its endpoint says none")
    try:
        wrapped = confined((path, *words[1:]), cwd=spec.cwd, sandbox=sandbox, env=env)
        proxy = proxy_for(sandbox, spec.notices.put)
        return Program(wrapped, cwd=spec.cwd, env=env, bounds=sandbox.bounds, proxy=proxy)
    except NoSandbox as error:
        raise SessionOver(EndReason.CRASHED, str(error)) from error
    except (OSError, ValueError) as error:
        raise SessionOver(EndReason.CRASHED, f"{words[0]!r} cannot be started: {error}") from error


def environment(spec: SessionSpec) -> dict[str, str]:
    """All of the program's environment."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": os.defpath, "HOME": str(Path("~").expanduser()), **inherited, **spec.env}


def next_line(session: Session, program: Program) -> Line:
    """The program's next line. Raises SessionOver when the session is over before it comes."""
    while True:
        session.look()
        line = program.next_line(LOOK_SECONDS)
        if line is not None:
            return line


def crash_of(program: Program, what: str) -> SessionOver:
    """For a program that ended before its turn had."""
    code, errors = program.wait(5.0), program.errors()
    said = f": {errors[-2000:]}" if errors else ""
    return SessionOver.by(f"{what} (exit code {code if code is not None else 'unknown'}){said}")
