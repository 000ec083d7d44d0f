"""Takes the tokens of links out of log records: anyone who reads one could decide with it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from foundation.guarded import guarded

_LINK = re.compile(r"(/approvals/link/[0-9a-f-]{0,36}+\.?+)[^/\s?#\"']+")


def masked(text: str) -> str:
    return _LINK.sub(r"\1[redacted]", text)


class LinkFilter(logging.Filter):
    """For a handler, and for `loggers`, which have handlers of their own: it puts itself there, because the LOGGING of
    the settings takes the handlers away from a logger that it names.
    """

    def __init__(self, loggers: Iterable[str] = ()) -> None:
        super().__init__()
        for name in loggers:
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """The arguments stay what they are, one by one: uvicorn formats them itself."""
        record.msg, record.args = _without(record.msg), _each(record.args)
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        return True


def _each(args: Any) -> Any:
    if isinstance(args, Mapping):
        return {name: _without(value) for name, value in args.items()}
    return tuple(_without(value) for value in args) if isinstance(args, tuple) else args


def _without(value: Any) -> Any:
    """What has no token stays as it is, so that %d finds its number; a request that holds one becomes text."""
    text = guarded(lambda: _text(value), lambda _: "")  # what cannot be told tells no token
    clean = masked(text)
    return clean if clean != text else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if isinstance(value, int | float | None) else str(value)
