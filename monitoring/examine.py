"""Asks the probe of each server and part: how it is configured, whether it answers, its version, what to do.

A probe is a function without arguments that returns a Finding; it may raise, and may hang: `examine` bounds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import wraps
from urllib.parse import urlsplit, urlunsplit

from django.db import connections

from foundation.guarded import guarded

SECONDS = 5.0


class State(StrEnum):
    """What a probe says of a part."""

    OK = "ok"
    OFF = "off"
    """Not configured, and not needed."""
    WARNING = "warning"
    DOWN = "down"
    """Configured, and it cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe found.

    `configured` never holds a password; `remedy`: what to do; `seconds`: how long the probe took.
    """

    part: str = ""
    state: State
    configured: str = ""
    version: str = ""
    detail: str = ""
    remedy: str = ""
    seconds: float = 0.0


Probe = Callable[[], Finding]


def own_connection(probe: Probe) -> Probe:
    """For probes that use the database: each runs in a thread of its own, and closes the connection that it opened."""

    @wraps(probe)
    def look() -> Finding:
        try:
            return probe()
        finally:
            connections.close_all()

    return look


def examine(probes: Mapping[str, Probe], *, seconds: float = SECONDS) -> list[Finding]:
    """Run all probes at once, each in a thread of its own; one that does not answer within `seconds` is down.

    Never raises.
    """
    found: dict[str, Finding] = {}
    threads = [threading.Thread(target=_look, args=(name, probe, found), daemon=True) for name, probe in probes.items()]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = Finding(state=State.DOWN, detail=f"no answer in {seconds:g} s", seconds=seconds)
    return [replace(found.get(name, silent), part=name) for name in probes]


def _look(name: str, probe: Probe, found: dict[str, Finding]) -> None:
    began = time.monotonic()
    finding = guarded(probe, _broken)
    found[name] = replace(finding, seconds=round(time.monotonic() - began, 3))


def _broken(error: Exception) -> Finding:
    """Whatever a driver raises, the part cannot be used."""
    return Finding(state=State.DOWN, detail=f"{type(error).__name__}: {error}".split("\n")[0][:300])


def without_password(url: str) -> str:
    """The URL with *** for its password."""
    split = urlsplit(url)
    if split.password is None:
        return url
    return urlunsplit(split._replace(netloc=split.netloc.replace(f":{split.password}@", ":***@")))
