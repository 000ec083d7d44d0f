"""A line, and the attempt that it belongs to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

MOST_LINES, MOST_BYTES = 1000, 1024**2
"""Of an attempt. What comes after that is left out, and counted."""
LONGEST = 8 * 1024
"""Bytes of a line."""
RAW = 2 * LONGEST
"""Characters of a line that are kept until its secrets are taken out."""
OF_A_CLAIM = 2 * MOST_LINES
"""Numbers that each claim of an attempt has for its lines: a lost worker's lines stay beside those of the next one."""
MOST_CLAIMS = 1_000_000


@dataclass(slots=True, eq=False, kw_only=True)
class AttemptLog:
    """Which attempt, and how much it has logged. `claim`: the epoch of its claim, from 1."""

    run_id: int
    step_id: str
    purpose: str
    iteration: int
    attempt: int
    claim: int
    lines: int = 0
    size: int = 0
    left_out: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def before(self) -> int:
        """The number before its first line's."""
        return (max(self.claim, 1) - 1) % MOST_CLAIMS * OF_A_CLAIM

    def number(self, size: int) -> int:
        """The number of its next line, of so many bytes; 0 when that is one too many."""
        with self.lock:
            if self.lines >= MOST_LINES or self.size + size > MOST_BYTES:
                self.left_out += 1
                return 0
            self.lines += 1
            self.size += size
            return self.before + self.lines

    def leave_out(self) -> None:
        """Count a line that was numbered and is not kept after all."""
        with self.lock:
            self.left_out += 1


@dataclass(slots=True, eq=False)
class Stream:
    """One of the two streams of a script. `tail`: the end of what was written last, as it was printed."""

    name: str
    level: int
    tail: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Line:
    """`is_whole`: False when its end was cut off. `stream`: where a script printed it. `is_clean`: without secrets.

    `is_end`: the attempt has ended, and what is to be told is how many lines were left out, if any. `size`: characters
    that it had when it came.
    """

    log: AttemptLog
    n: int
    at: datetime
    level: int
    logger: str
    text: str
    trace_id: str = ""
    is_whole: bool = True
    stream: Stream | None = None
    is_clean: bool = False
    is_end: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.text)
