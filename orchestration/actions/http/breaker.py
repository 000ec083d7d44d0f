"""The circuit breaker of a call: what it holds back was not tried, so it costs no attempt and fails nothing.

A breaker belongs to a host and a route: method and path template, without the values that were filled in. A step may
name one itself (`breaker:`).
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from foundation.outbound.circuit_breaker import breaker_of
from foundation.visible_text import cut
from orchestration.actions.base import Call, Result
from orchestration.core.enums import Outcome
from orchestration.core.templates import route_of

COUNTS = "counts_against_host"
"""Key of a result's `detail`: the other side failed (a 5xx, a timeout, no connection)."""


LAST_ERROR, LAST_STATUS = "last_error", "last_status"
"""Keys of the `detail` of what was kept back: how the last call that was made there failed."""

LONGEST_ERROR = 500


def through(name: str, ask: Callable[[], Result]) -> Result:
    """What `ask` gives; while the breaker of this name is open, PARKED, with the seconds to wait in `retry_after`."""
    breaker = breaker_of(name)
    pause, trial = breaker.enter()
    if pause:
        message = f"the circuit breaker of {name} is open after repeated failures; nothing was sent"
        error, status = breaker.last_failure
        why: dict[str, JsonValue] = {"breaker": name, LAST_ERROR: error, LAST_STATUS: status}
        return Result(outcome=Outcome.PARKED, error=message, retry_after=pause, detail=why)
    failed: bool | None = None
    try:
        result = ask()
        failed = True if result.detail.get(COUNTS) else False if "status" in result.detail else None
        if failed:
            answered = result.detail.get("status")
            breaker.last_failure = cut(result.error, LONGEST_ERROR), answered if isinstance(answered, int) else None
    finally:
        breaker.leave(failed=failed, trial=trial)
    return result


def name_of(call: Call, method: str, host: str, path: str) -> str:
    """The breaker of a call to host:port: the one that its step names, else its route's; `path` where none is known."""
    return call.breaker or f"{method} {host}{route_of(call.route) if call.route else path}"
