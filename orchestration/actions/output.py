"""Makes what an action returned fit for a row: JSON that every database takes, not too deep and not too large."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import re
import sys
from typing import Any, NoReturn

from django.conf import settings
from pydantic import JsonValue

from orchestration.actions.base import Result
from orchestration.core.backoff import LONGEST_RETRY_AFTER
from orchestration.core.definition.shape import json_bytes
from orchestration.core.enums import Outcome

log = logging.getLogger(__name__)

MOST_LEVELS = 100
NEARLY = 0.7
"""Of the largest output that is kept: from there on the attempt's lines say so."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NoNumber(ValueError):
    """A number that JSON does not know, NaN or an infinite one, or that is too large: 1e400, 5,000 digits."""

    def __init__(self, written: str, why: str = "that JSON does not know") -> None:
        super().__init__(f"{written[:40]} is a number {why}")


class _TooDeep(Exception):
    pass


def parsed(text: str | bytes) -> JsonValue:
    """The JSON value in a text; ValueError when it is none, NoNumber for a number that JSON does not know."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (json.JSONDecodeError, UnicodeError, NoNumber):
        raise
    except ValueError:  # from the integer itself
        raise NoNumber("an integer in it", f"of more than {sys.get_int_max_str_digits()} digits") from None
    return value


def limited(result: Result) -> Result:
    """The result as it can be stored. An output that cannot be leaves the action done, so with something to undo."""
    try:
        output = storable(result.output)
        fault = _over_limit(output)
    except _TooDeep:
        output, fault = None, f"the output is nested more than {MOST_LEVELS} levels deep, so it cannot be kept"
    if fault:
        result = dataclasses.replace(result, outcome=Outcome.FAILED, maybe=True, error=fault)
        output = None
    return dataclasses.replace(
        result,
        output=output,
        error=_clean(result.error),
        detail=storable(dict(result.detail)),
        retry_after=_pause(result.retry_after),
    )


def too_large(what: str) -> str:
    limit = settings.ZEN_MAX_OUTPUT_BYTES
    return f"{what} is larger than {limit} bytes (ZEN_MAX_OUTPUT_BYTES), so it cannot be kept"


def storable(value: Any, level: int = 0) -> Any:
    """Without NUL and halves of surrogate pairs, which PostgreSQL refuses, and without infinite numbers."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list):
        if level >= MOST_LEVELS:
            raise _TooDeep
        if isinstance(value, list):
            return [storable(item, level + 1) for item in value]
        return {_clean(key): storable(item, level + 1) for key, item in value.items()}
    return value


def _pause(seconds: float | None) -> float | None:
    """Up to an hour, which is as far as the flow follows what the other side asks for."""
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _clean(text: str) -> str:
    return UNSTORABLE.sub("\ufffd", text)


def _over_limit(output: JsonValue) -> str:
    if output is None:
        return ""
    size, most = json_bytes(output), settings.ZEN_MAX_OUTPUT_BYTES
    if size > most:
        return too_large(f"the output ({size} bytes)")
    if size > NEARLY * most:
        log.warning(
            "the output has %s of at most %s bytes (ZEN_MAX_OUTPUT_BYTES); a larger one cannot be kept", size, most
        )
    return ""


def _refuse(constant: str) -> NoReturn:
    raise NoNumber(constant)


def _finite(written: str) -> float:
    value = float(written)
    if not math.isfinite(value):
        raise NoNumber(written)
    return value
