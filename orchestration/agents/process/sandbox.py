"""A program in bubblewrap: its folder writable but for `.git`, /tmp private, the rest of the machine to be read
only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from orchestration.agents.base import Sandbox
from orchestration.agents.process import joined
from orchestration.agents.process.allow_list import AllowList

TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - these are made private
RUNTIME = Path("/run")
"""Sockets of the machine's services are here, such as a container engine's: no file permission keeps root out."""
RESOLVER = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf")
SHEBANG_BYTES = 256
HIDDEN_BYTES = 1024**2
"""Of memory for what is written over a place that is hidden: it is empty, and nobody's."""


JOINED = str(Path(joined.__file__).resolve())
NO_LIST = (
    "a list of hosts is kept in bubblewrap alone, and there is none here: install bubblewrap on the worker (Debian:"
    " apt-get install bubblewrap) and set sandbox if_possible or required; or network host, which has no list"
)


class NoSandbox(Exception):
    """Why the program cannot be confined, and the remedy."""


@cache
def bubblewrap() -> str | None:
    """The path of bwrap; None when there is none."""
    return shutil.which("bwrap")


def confined(command: Sequence[str], *, cwd: Path, sandbox: Sandbox, env: Mapping[str, str]) -> list[str]:
    """The command in its sandbox, or as it is where none is wanted or there is none and it is not `required`; a list of
    hosts always requires it. With one the command needs the channel of a proxy (proxy.py) as descriptor 3.

    Raises NoSandbox.
    """
    bwrap = bubblewrap()
    is_listed = sandbox.network == "hosts"
    if is_listed and (bwrap is None or sandbox.mode == "off"):
        raise NoSandbox(NO_LIST)
    if sandbox.mode == "off" or (bwrap is None and sandbox.mode == "if_possible"):
        return list(command)
    if bwrap is None:
        raise NoSandbox(
            "the sandbox is required, but bwrap is not on the PATH of the worker; install bubblewrap"
            " (Debian: apt-get install bubblewrap), or do without: for an agent by sandbox if_possible of its endpoint,"
            " for checks by ZEN_SCRIPTS=unsafe"
        )
    first = (sys.executable, "-I", "-S", JOINED, AllowList(sandbox.hosts).loopback_words) if is_listed else ()
    return [bwrap, *_options(command, cwd, sandbox, env), "--chdir", str(cwd), "--", *first, *command]


def _options(command: Sequence[str], cwd: Path, sandbox: Sandbox, env: Mapping[str, str]) -> Iterator[str]:
    """In bwrap a later mount covers an earlier one: what is hidden comes after what the command itself is said to need,
    which whoever writes the command decides, and before what we show by name."""
    yield from ("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    if sandbox.network != "host":
        yield "--unshare-net"
    yield from ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--cap-drop", "ALL")
    yield from (*_at_most(sandbox.bounds.memory_bytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")  # noqa: S108
    for place in (*TEMPORARY, RUNTIME):
        if place.is_dir() and not place.is_symlink():
            yield from (*_at_most(sandbox.bounds.memory_bytes), "--tmpfs", str(place))
    for name in RESOLVER:
        yield from ("--ro-bind-try", name, name)
    joins = _of_the_command((sys.executable, JOINED), env) if sandbox.network == "hosts" else []
    for place in (*_of_the_command(command, env), *joins):
        yield from ("--ro-bind-try", str(place), str(place))
    yield from _hidden_and_shown(sandbox)
    for place in (*sandbox.writable, cwd):
        yield from ("--bind-try", str(place), str(place))
    if (cwd / ".git").exists():
        yield from ("--ro-bind", str(cwd / ".git"), str(cwd / ".git"))


def _hidden_and_shown(sandbox: Sandbox) -> Iterator[str]:
    """The deeper a place lies, the later: what is hidden within a shown one is hidden, and the other way round."""
    hidden = [(len(place.parts), False, place) for place in sandbox.hidden]
    for _, is_shown, place in sorted(hidden + [(len(place.parts), True, place) for place in sandbox.readable]):
        if is_shown:
            yield from ("--ro-bind-try", str(place), str(place))
        elif place.is_dir():
            yield from (*_at_most(HIDDEN_BYTES), "--tmpfs", str(place))
        elif place.exists():
            yield from ("--ro-bind", "/dev/null", str(place))


def _at_most(memory_bytes: int) -> tuple[str, ...]:
    """For the next private folder, whose files are memory: where bubblewrap can bound it."""
    return ("--size", str(memory_bytes)) if memory_bytes and _knows_sizes() else ()


@cache
def _knows_sizes() -> bool:
    """Since bubblewrap 0.7."""
    bwrap = bubblewrap()
    said = subprocess.run([bwrap, "--help"], capture_output=True, timeout=10, check=False) if bwrap else None
    return said is not None and b"--size" in said.stdout + said.stderr


def _of_the_command(command: Sequence[str], env: Mapping[str, str]) -> list[Path]:
    """Folders below private places without which the command would not be there: its own and its interpreter's."""
    program = shutil.which(command[0], path=env.get("PATH", os.defpath))
    named = [Path(word) for word in command[1:] if word.startswith("/")]
    files = [Path(program), *_interpreter(Path(program)), *named] if program else named
    files += [Path(place) for place in env.get("PYTHONPATH", "").split(os.pathsep) if place.startswith("/")]
    return list(dict.fromkeys(_shown(place) for file in files for place in (file, file.resolve()) if _is_private(file)))


def _interpreter(program: Path) -> list[Path]:
    """Of a script's first line."""
    try:
        with program.open("rb") as file:
            first = file.read(SHEBANG_BYTES).partition(b"\n")[0]
    except OSError:
        return []
    words = os.fsdecode(first.removeprefix(b"#!")).split() if first.startswith(b"#!") else []
    return [Path(words[0])] if words and words[0].startswith("/") else []


def _is_private(file: Path) -> bool:
    return file.exists() and any(root in place.parents for place in (file, file.resolve()) for root in TEMPORARY)


def _shown(file: Path) -> Path:
    """The outermost folder below a private place that holds the file; the file itself where it lies there
    directly."""
    for root in TEMPORARY:
        if root in file.parents:
            return root / file.relative_to(root).parts[0]
    return file


def private_folder(name: str) -> Path:
    """A folder of this user's alone among the machine's temporary files, made where it is not there.

    Raises OSError when somebody else has it.
    """
    place = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return place
