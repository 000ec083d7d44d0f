"""One check, run by us: its processes end with it, and its output is kept as a digest and an end."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestration.agents.base import Sandbox
from orchestration.agents.process.group import Program
from orchestration.agents.process.proxy import proxy_for
from orchestration.agents.process.sandbox import confined
from orchestration.agents.workspace.checks.counts import counts_of
from orchestration.core.agent.evidence import CheckResult, TestCounts

KEPT_BYTES = 64 * 1024
"""Of the end of the output: enough for the summaries of several runners."""
EXCERPT_BYTES = 8 * 1024
LOOK_SECONDS = 0.2
CANNOT_RUN = (126, 127)
"""What a shell says of a command that is not there, or is no program."""
LONGEST_REASON = 300
BOTH = 'exec /bin/sh -c "$1" 2>&1'


def run_check(
    command: str,
    cwd: Path,
    timeout: float,
    sandbox: Sandbox,
    *,
    caches: Path | None = None,
    skipped_before: int = 0,
    env: Mapping[str, str] | None = None,
    cancelled: threading.Event | None = None,
) -> CheckResult:
    """The result of a shell command in a clean checkout. It passed when it ended with 0, and ran what it was to run.

    `caches`: a folder that it may write besides the checkout. `skipped_before`: how many tests the base skips; a head
    that skips more has not passed. `env`: more variables, none of them secret.

    Raises:
        NoSandbox: the sandbox is required and there is none. OSError: no process can be started.
    """
    given = _environment(caches) | dict(env or {})
    words = ["/bin/sh", "-c", BOTH, "sh", command]
    boxed = replace(sandbox, writable=(*sandbox.writable, *([caches] if caches else [])))
    begun = time.monotonic()
    wrapped, denied = confined(words, cwd=cwd, sandbox=boxed, env=given), queue.SimpleQueue[str]()
    proxy = proxy_for(boxed, denied.put)
    program = Program(wrapped, cwd=cwd, env=given, bounds=boxed.bounds, proxy=proxy)
    try:
        program.close_stdin()
        digest, kept, why = _heard(program, begun + timeout, cancelled)
        code = program.wait(1.0) if not why else None
    finally:
        program.end()
    text = bytes(kept).decode(errors="replace").replace("\0", "")
    counts = counts_of(text)
    text += "".join(f"[zen] it {denied.get()}\n" for _ in range(denied.qsize()))
    why = why or why_not(code, counts, skipped_before) + _said_by_us(code, program)
    return CheckResult(
        command=command,
        passed=not why,
        exit_code=code,
        output_excerpt=text[-EXCERPT_BYTES:],
        seconds=time.monotonic() - begun,
        digest=digest,
        why=why.format(timeout=timeout),
        counts=counts,
    )


def _said_by_us(code: int | None, program: Program) -> str:
    """Why it was ended, or could not begin: what the command itself writes comes on its stdout."""
    said = program.errors() if code else ""
    return f": {said[-LONGEST_REASON:]}" if said else ""


def _heard(program: Program, deadline: float, cancelled: threading.Event | None) -> tuple[str, bytearray, str]:
    """Digest and end of the output, and why it was not heard to its end."""
    digest, kept = hashlib.sha256(), bytearray()
    while True:
        line = program.next_line(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        if line is not None and line.at_end:
            return digest.hexdigest(), kept, ""
        if line is not None:
            digest.update(line.data + b"\n")
            kept += line.data + b"\n"
            del kept[:-KEPT_BYTES]
        if cancelled is not None and cancelled.is_set():
            return digest.hexdigest(), kept, "it was cancelled"
        if time.monotonic() >= deadline:
            return digest.hexdigest(), kept, "it was not over after {timeout:g} s"


def why_not(code: int | None, counts: TestCounts | None, skipped_before: int) -> str:
    """Why a run that ended by itself has not passed; '' when it has."""
    if code is None:
        return "it closed its output and went on"
    if code != 0:
        return f"it ended with {code}"
    if counts is None:
        return ""
    if counts.failed:
        return f"{counts.failed} tests failed, though it ended with 0"
    if not counts.passed:
        return "no test passed, though it ended with 0"
    if counts.skipped > skipped_before:
        return f"{counts.skipped} tests were skipped, and skipped is not passed; the base skips {skipped_before}"
    return ""


def _environment(caches: Path | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    home = {"LC_ALL": "C.UTF-8", "CI": "true", "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_NOSYSTEM": "1"}
    folders = {"XDG_CACHE_HOME": "xdg", "GOCACHE": "go", "npm_config_cache": "npm", "COVERAGE_FILE": "coverage"}
    own = {name: str(caches / folder) for name, folder in folders.items()} if caches else {}
    return kept | home | own
