"""What a script prints, line by line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import copy_context

from orchestration.attempt_log.current import add, current
from orchestration.attempt_log.line import RAW, AttemptLog, Stream

STDOUT, STDERR = "stdout", "stderr"

Hear = Callable[[bytes], None]
"""Is given what a script has printed, piece by piece; at the end b''."""


def listeners() -> tuple[Hear, Hear]:
    """Who hears stdout and stderr of a script that the attempt of this context runs."""
    log = current()
    if log is None:
        return _deaf, _deaf
    return _listener(log, Stream(STDOUT, logging.INFO)), _listener(log, Stream(STDERR, logging.WARNING))


def _listener(log: AttemptLog, stream: Stream) -> Hear:
    context, lines = copy_context(), _Lines(log, stream)  # for the thread that reads
    return lambda piece: context.run(lines.hear, piece)


def _deaf(piece: bytes) -> None:
    """Nobody keeps it."""


class _Lines:
    """Keeps a line until its end has come: half a secret would not be recognised. Of a long one it keeps the head."""

    def __init__(self, log: AttemptLog, stream: Stream) -> None:
        self.log, self.stream, self.begun, self.is_whole = log, stream, bytearray(), True

    def hear(self, piece: bytes) -> None:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._grow(part)
            self._tell()
        self._grow(rest)
        if not piece:
            self._tell()

    def _grow(self, part: bytes) -> None:
        room = RAW - len(self.begun)
        self.is_whole = self.is_whole and len(part) <= room
        self.begun += part[:room]

    def _tell(self) -> None:
        text = self.begun.decode(errors="replace").rstrip("\r")
        if text.strip():
            add(
                self.log, text, level=self.stream.level, logger=self.stream.name, is_whole=self.is_whole,
                stream=self.stream,
            )  # fmt: skip
        self.begun.clear()
        self.is_whole = True
