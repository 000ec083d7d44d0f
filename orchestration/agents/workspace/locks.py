"""One writer at a time, by a lock that dies with its holder; and the lock files that killed gits left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 900.0
LOOK_SECONDS = 0.05
GIT_LOCKS = tuple(f"{name}.lock" for name in ("HEAD", "config", "packed-refs", "index", "shallow"))


class Busy(Exception):
    """Somebody held the lock for longer than anything should take."""


@contextlib.contextmanager
def held(path: Path, *, seconds: float = SECONDS) -> Iterator[int]:
    """The open file of the lock at `path`, exclusive. Children that inherit it hold it too, until they have ended.

    Raises:
        Busy: it was not free within `seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _wait(descriptor, path, seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy(f"{path} was held for {seconds:g} s") from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def clear_stale(git_dir: Path) -> list[str]:
    """Remove git's own lock files, which no living git can hold: all that write do so under our lock. Their names."""
    found = [git_dir / name for name in GIT_LOCKS]
    found += (git_dir / "refs").rglob("*.lock")
    removed = []
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            removed.append(str(path.relative_to(git_dir)))
    return removed
