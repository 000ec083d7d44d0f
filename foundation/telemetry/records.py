"""What a log record says, whatever its arguments are."""

from __future__ import annotations

import logging
from collections.abc import Callable


def message_of(record: logging.LogRecord) -> str:
    """Its message. Where its arguments do not fit or cannot be told, they stand beside it. Never raises."""
    return _safely(record.getMessage, lambda: f"{_text(record.msg)} {_told(record.args)}")


def _text(message: object) -> str:
    return message if isinstance(message, str) else _told(message)


def _told(value: object) -> str:
    return _safely(lambda: repr(value), lambda: _untold(value))


def _untold(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_told(one) for one in value)})"
    return f"<{type(value).__name__} that cannot be told>"


def _safely(do: Callable[[], str], otherwise: Callable[[], str]) -> str:
    try:
        return do()
    except Exception:  # noqa: BLE001 - whatever an argument's own code raises; no log line may stop what it tells of
        return otherwise()
