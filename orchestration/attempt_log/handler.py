"""The handler of Python's logging that keeps what is logged under an attempt."""

from __future__ import annotations

import logging
from functools import partial

from foundation.guarded import guarded
from foundation.telemetry import message_of
from orchestration.attempt_log.current import add, current

OURS = frozenset({"zen_project", "monitoring", "approvals", "orchestration", "notifications", "foundation"})
"""Loggers of the machinery. What they say below WARNING is not about the step's own work."""

_format = logging.Formatter().format


class AttemptHandler(logging.Handler):
    """Turns records into lines of the attempt under which they were logged; others it lets pass."""

    def emit(self, record: logging.LogRecord) -> None:
        """logging's hook. Nothing is written here, only kept in memory."""
        log = current()
        if log is None or (record.levelno < logging.WARNING and record.name.partition(".")[0] in OURS):
            return
        text = guarded(partial(_format, record), lambda _: message_of(record))  # its arguments may not fit
        add(log, text, level=record.levelno, logger=record.name)
