"""The files of a release: a commit of the project's repository, without its history, hooks or filters."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings

SECONDS = 300.0
COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
GIT = (
    "git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.attributesFile=/dev/null",
    "-c", "core.autocrlf=false",
)  # fmt: skip


class NoCheckout(Exception):
    """The files cannot be had; the message says why."""


def checkout(repository: str, commit: str, into: Path) -> int:
    """Put the files of `commit` into a folder, whole or not at all; how many there are. Raises NoCheckout.

    `repository`: a bare repository, or a folder with one, below ZEN_DATA_DIR/projects.
    """
    if not COMMIT.match(commit):
        raise NoCheckout(f"commit {commit[:80]!r} is no full commit id; give the 40 digits of the merged head")
    source = _repository(repository)
    half = into.with_name(into.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700, parents=True)
    with tempfile.TemporaryDirectory(prefix="zen-index-") as scratch:
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_INDEX_FILE": f"{scratch}/index", "HOME": scratch,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "LANG": "C.UTF-8",
        }  # fmt: skip
        git = [*GIT, "--git-dir", str(source), "-c", f"safe.directory={source}"]
        _run([*git, "read-tree", commit], env)
        _run([*git, "--work-tree", str(half), "checkout-index", "--all", "--force", f"--prefix={half}/"], env)
    shutil.rmtree(into, ignore_errors=True)
    half.replace(into)
    return sum(1 for path in into.rglob("*") if path.is_file())


def _repository(given: str) -> Path:
    home = (Path(settings.ZEN_DATA_DIR) / "projects").resolve()
    path = Path(given).resolve() if given else home
    if path == home or not path.is_relative_to(home):
        raise NoCheckout(f"repository {given[:200]!r} is not one of a project; it has to be below {home}")
    inner = path / ".git"
    found = inner if inner.is_dir() else path
    if not (found / "objects").is_dir():
        raise NoCheckout(f"there is no git repository at {path}")
    return found


def _run(command: list[str], env: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCheckout(f"git cannot make the files: {error}") from None
    if done.returncode:
        raise NoCheckout(f"git cannot make the files: {done.stderr.decode(errors='replace').strip()[-500:]}")
