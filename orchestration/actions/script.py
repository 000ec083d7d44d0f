"""`script`: a process group of its own, a clean environment, limits; in a bubblewrap sandbox unless told otherwise."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from django.conf import settings
from pydantic import JsonValue

from orchestration.actions.base import Call, Result
from orchestration.actions.output import parsed, too_large
from orchestration.actions.redaction import head
from orchestration.core.words import Outcome

KEPT_BYTES = 64 * 1024
QUOTED = 500
"""Characters at the end of a failed script's output that its error repeats."""
MEMORY_BYTES = 1024**3
FILE_BYTES = 256 * 1024**2
PROCESSES = 256
INSIDE = "/tmp"  # noqa: S108 - of the sandbox, which has nothing else there
TRY_LATER = 75
"""EX_TEMPFAIL: the script says that nothing was done and that another try may work."""


def script(call: Call) -> Result:
    if settings.ZEN_SCRIPTS == "off":
        return Result(outcome=Outcome.FAILED, error="scripts are off; the site allows them with ZEN_SCRIPTS=sandboxed")
    sandboxed = settings.ZEN_SCRIPTS == "sandboxed"
    if sandboxed and shutil.which("bwrap") is None:
        return Result(outcome=Outcome.FAILED, error="ZEN_SCRIPTS=sandboxed needs bubblewrap (bwrap); install it")
    with tempfile.TemporaryDirectory(prefix="zen-script-") as folder:
        return _run(call, Path(folder), sandboxed)


def _run(call: Call, folder: Path, sandboxed: bool) -> Result:
    text = str(call.action["script"])
    file = folder / "script"
    file.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}", encoding="utf-8")
    file.chmod(0o700)
    inside = [*_sandbox(folder, bool(call.action.get("network"))), f"{INSIDE}/script"]
    command = inside if sandboxed else [str(file)]
    home = INSIDE if sandboxed else str(folder)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(call, home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_limits,
    )
    readers = [_Reader(process.stdout, settings.ZEN_MAX_OUTPUT_BYTES), _Reader(process.stderr, KEPT_BYTES)]
    ended_by = _await(process, call)
    _kill_group(process)
    for reader in readers:
        reader.join(2)
    return _result(process, readers[0], readers[1], ended_by)


def _await(process: subprocess.Popen[bytes], call: Call) -> str:
    """Wait for the end; '' when the script ended by itself, else why it was killed."""
    deadline = time.monotonic() + call.timeout_seconds
    while process.poll() is None:
        if call.cancelled.is_set():
            return "was cancelled"
        if time.monotonic() > deadline:
            return f"timed out after {call.timeout_seconds:g} s"
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    return ""


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _result(process: subprocess.Popen[bytes], out: _Reader, err: _Reader, ended_by: str) -> Result:
    code = process.returncode
    detail: dict[str, JsonValue] = {"exit_code": code, "stderr": err.text(), "truncated": out.cut or err.cut}
    if ended_by or code < 0:
        why = ended_by or f"was killed by signal {-code}"
        return Result(outcome=Outcome.UNKNOWN, maybe=True, error=f"the script {why}", detail=detail)
    if code == 0:
        return _succeeded(out, detail)
    error = f"the script ended with {code}: {err.text()[-QUOTED:] or out.text()[-QUOTED:]}"
    return Result(outcome=Outcome.RETRYABLE if code == TRY_LATER else Outcome.FAILED, error=error, detail=detail)


def _succeeded(out: _Reader, detail: dict[str, JsonValue]) -> Result:
    """A JSON object is the output as it is, up to the site's limit; of any other text the head is kept."""
    whole = out.whole()
    if whole.startswith(b"{") and out.overran:
        return Result(outcome=Outcome.FAILED, maybe=True, error=too_large("what the script printed"), detail=detail)
    try:
        value = parsed(whole)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return Result(outcome=Outcome.SUCCEEDED, output=value, detail=detail | {"truncated": False})
    return Result(outcome=Outcome.SUCCEEDED, output={"stdout": out.text(), "exit_code": 0}, detail=detail)


def _environment(call: Call, home: str) -> dict[str, str]:
    given = call.action.get("env")
    values = given.items() if isinstance(given, dict) else ()
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "ZEN_WORKFLOW_ID": call.workflow_id,
        "ZEN_STEP_ID": call.step_id,
        "ZEN_PURPOSE": call.purpose.value,
        "ZEN_IDEMPOTENCY_KEY": call.idempotency_key,
        **{name: value if isinstance(value, str) else json.dumps(value) for name, value in values},
    }


def _sandbox(folder: Path, network: bool) -> list[str]:
    links = [option for link in ("bin", "lib", "lib64", "sbin") for option in _link(link)]
    return [
        "bwrap", "--unshare-all", *(["--share-net"] if network else []), "--die-with-parent", "--new-session",
        "--ro-bind", "/usr", "/usr", *links, "--bind", str(folder), INSIDE, "--proc", "/proc", "--dev", "/dev",
        "--cap-drop", "ALL", "--chdir", INSIDE,
    ]  # fmt: skip


def _link(name: str) -> list[str]:
    path = Path("/") / name
    return ["--symlink", f"usr/{name}", f"/{name}"] if path.is_symlink() else ["--ro-bind-try", f"/{name}", f"/{name}"]


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() != 0:  # for root it would count every process of the machine
        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))


class _Reader(threading.Thread):
    """Reads a pipe to its end and keeps its head, up to `limit` bytes."""

    def __init__(self, pipe: IO[bytes] | None, limit: int) -> None:
        super().__init__(daemon=True)
        self.pipe, self.limit, self.kept, self.overran = pipe, limit, bytearray(), False
        self.start()

    def run(self) -> None:
        if self.pipe is None:
            return
        with self.pipe:
            self._read(self.pipe)

    def _read(self, pipe: IO[bytes]) -> None:
        while chunk := pipe.read1(65536):  # type: ignore[attr-defined]
            self.overran = self.overran or len(self.kept) + len(chunk) > self.limit
            self.kept += chunk[: max(0, self.limit - len(self.kept))]

    def whole(self) -> bytes:
        return bytes(self.kept).lstrip()

    @property
    def cut(self) -> bool:
        return self.overran or len(self.kept) > KEPT_BYTES

    def text(self) -> str:
        return head(bytes(self.kept).decode(errors="replace"), KEPT_BYTES, is_whole=not self.overran)
