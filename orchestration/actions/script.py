"""`script`: a process group of its own, a clean environment, limits; in a bubblewrap sandbox unless told otherwise."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from pydantic import JsonValue

from foundation.secrets.redaction import head
from orchestration.actions.base import Call, Result
from orchestration.actions.output import NoNumber, parsed, too_large
from orchestration.actions.process import confined, environment
from orchestration.attempt_log import printed
from orchestration.core.enums import Outcome

KEPT_BYTES = 64 * 1024
QUOTED = 500
"""Characters at the end of a failed script's output that its error repeats."""
INSIDE = "/tmp"  # noqa: S108 - of the sandbox, which has nothing else there
TRY_LATER = 75
"""EX_TEMPFAIL: the script says that nothing was done and that another try may work."""


def script(call: Call) -> Result:
    if settings.ZEN_SCRIPTS == "off":
        return Result(outcome=Outcome.FAILED, error="scripts are off; the site allows them with ZEN_SCRIPTS=sandboxed")
    sandboxed = settings.ZEN_SCRIPTS == "sandboxed"
    if sandboxed and shutil.which("bwrap") is None:
        error = "the script was not run: ZEN_SCRIPTS=sandboxed needs bubblewrap (bwrap) on the PATH of the worker"
        return Result(outcome=Outcome.FAILED, error=error)
    with tempfile.TemporaryDirectory(prefix="zen-script-", ignore_cleanup_errors=True) as folder:
        return _run(call, Path(folder), sandboxed)


def _run(call: Call, folder: Path, sandboxed: bool) -> Result:
    text = str(call.action["script"])
    (folder / "script").write_text(text, encoding="utf-8")
    home = INSIDE if sandboxed else str(folder)
    try:
        env = environment.checked(_environment(call, home))
    except environment.NotUsable as error:
        return Result(outcome=Outcome.FAILED, error=f"the script's `env` {error}")
    handed = environment.for_bwrap if sandboxed else environment.for_starter
    done = confined.run(
        [*(_sandbox(folder) if sandboxed else environment.STARTER), *_interpreter(text), f"{home}/script"],
        folder=folder,
        inherit=lambda mark: handed({**env, confined.MARK: mark}),
        seconds=call.timeout_seconds,
        unwanted=call.cancelled.is_set,
        most_out=settings.ZEN_MAX_OUTPUT_BYTES,
        most_err=KEPT_BYTES,
        hear=printed.listeners(),
    )
    return _result(done)


def _interpreter(text: str) -> list[str]:
    """As the kernel reads a #! line. Named here, since a file that was only just written can be busy for execution."""
    first = text.partition("\n")[0]
    words = first.removeprefix("#!").strip().split(maxsplit=1) if first.startswith("#!") else []
    return words or ["/bin/bash"]


def _result(done: confined.Finished) -> Result:
    out, err = _text(done.out), _text(done.err)
    cut = any(reader.overran or len(reader.kept) > KEPT_BYTES for reader in (done.out, done.err))
    detail: dict[str, JsonValue] = {"exit_code": done.code, "stderr": err, "truncated": cut}
    if done.ended_by or done.code < 0:
        why = done.ended_by or f"was killed by signal {-done.code}"
        return Result(outcome=Outcome.UNKNOWN, maybe=True, error=f"the script {why}", detail=detail)
    if done.code == 0:
        return _succeeded(done.out, out, detail)
    error = f"the script ended with {done.code}: {err[-QUOTED:] or out[-QUOTED:]}"
    return Result(outcome=Outcome.RETRYABLE if done.code == TRY_LATER else Outcome.FAILED, error=error, detail=detail)


def _succeeded(out: confined.Reader, text: str, detail: dict[str, JsonValue]) -> Result:
    """A JSON object is the output as it is, up to the site's limit; of any other text the head is kept."""
    whole = bytes(out.kept).lstrip()
    if whole.startswith(b"{") and out.overran:
        return Result(outcome=Outcome.FAILED, maybe=True, error=too_large("what the script printed"), detail=detail)
    try:
        value = parsed(whole)
    except NoNumber as error:
        if whole.startswith(b"{"):
            fault = f"what the script printed cannot be kept: {error}"
            return Result(outcome=Outcome.FAILED, maybe=True, error=fault, detail=detail)
        value = None
    except ValueError:
        value = None
    if isinstance(value, dict):
        return Result(outcome=Outcome.SUCCEEDED, output=value, detail=detail | {"truncated": False})
    return Result(outcome=Outcome.SUCCEEDED, output={"stdout": text, "exit_code": 0}, detail=detail)


def _text(reader: confined.Reader) -> str:
    return head(bytes(reader.kept).decode(errors="replace"), KEPT_BYTES, is_whole=not reader.overran)


def _environment(call: Call, home: str) -> dict[str, str]:
    given = call.action.get("env")
    values = given.items() if isinstance(given, dict) else ()
    return {
        **confined.HOST,
        "HOME": home,
        "ZEN_WORKFLOW_ID": call.workflow_id,
        "ZEN_STEP_ID": call.step_id,
        "ZEN_PURPOSE": call.purpose.value,
        "ZEN_IDEMPOTENCY_KEY": call.idempotency_key,
        **{name: value if isinstance(value, str) else json.dumps(value) for name, value in values},
    }


def _sandbox(folder: Path) -> list[str]:
    """bwrap and its options, to the `--` that keeps a script's first line from being one of them."""
    bwrap = shutil.which("bwrap") or "bwrap"
    links = [option for link in ("bin", "lib", "lib64", "sbin") for option in _link(link)]
    return [
        bwrap, "--unshare-all", "--die-with-parent", "--new-session",
        "--ro-bind", "/usr", "/usr", *links, "--bind", str(folder), INSIDE, "--proc", "/proc", "--dev", "/dev",
        "--cap-drop", "ALL", "--chdir", INSIDE, "--args", confined.FD, "--",
    ]  # fmt: skip


def _link(name: str) -> list[str]:
    path = Path("/") / name
    return ["--symlink", f"usr/{name}", f"/{name}"] if path.is_symlink() else ["--ro-bind-try", f"/{name}", f"/{name}"]
