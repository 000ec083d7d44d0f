"""A script's own environment, handed over by an open file: on no command line, and to no program of the host."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping

from orchestration.actions.process.confined import FD

LARGEST = 128 * 1024 - 1
"""Bytes of one NAME=value, as Linux takes them."""
MOST = 2500
"""Variables: bwrap takes 9,000 words, three for each."""
SPARE = 64 * 1024

START = """\
import os, sys
with open(int(sys.argv[1]), "rb") as file:
    parts = file.read().split(b"\\0")[:-1]
env = dict(zip(parts[::2], parts[1::2]))
try:
    os.execvpe(sys.argv[2], sys.argv[2:], env)
except OSError as error:
    print(f"{sys.argv[2]}: {error.strerror}", file=sys.stderr)
    sys.exit(127)
"""
STARTER = (sys.executable, "-I", "-S", "-c", START, FD)
"""Becomes the command that follows, with the environment from the file. For scripts without a sandbox."""


class NotUsable(Exception):
    """Why it cannot be handed over, to be read after its name."""


def checked(env: Mapping[str, str]) -> dict[str, str]:
    """The environment itself. Raises NotUsable."""
    total = 0
    for name, value in env.items():
        if not name or "\0" in name + value or "=" in name:
            raise NotUsable(f"has a NUL in the value of {name[:80]!r}, or a name that is none")
        try:
            size = len(os.fsencode(name)) + len(os.fsencode(value)) + 2
        except UnicodeEncodeError:
            raise NotUsable(f"has text in {name[:80]!r} that is no Unicode") from None
        total += size + 8
        if size > LARGEST:
            raise NotUsable(f"is larger than the system allows: {name[:80]!r} has {size} bytes of at most {LARGEST}")
    most = os.sysconf("SC_ARG_MAX") - SPARE
    if total > most or len(env) > MOST:
        raise NotUsable(
            f"is larger than the system allows: {len(env)} variables of {total} bytes; at most {MOST} of {most}"
        )
    return dict(env)


def for_bwrap(env: Mapping[str, str]) -> int:
    """A file of bwrap's options (its --args)."""
    return _file(word for name, value in env.items() for word in ("--setenv", name, value))


def for_starter(env: Mapping[str, str]) -> int:
    """A file of names and values in turn."""
    return _file(word for pair in env.items() for word in pair)


def _file(words: Iterable[str]) -> int:
    """An open file that has no name, at its beginning; each word ends in a NUL."""
    descriptor = os.memfd_create("zen-script-env") if hasattr(os, "memfd_create") else _unnamed()
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _unnamed() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
