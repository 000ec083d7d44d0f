"""One look at each server and part that Zen needs: configured as what, reached or not, its version, what to do.

A probe is a function without arguments that returns a Finding; it may raise, and may hang: `examine` bounds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

SECONDS = 5.0


class State(StrEnum):
    OK = "ok"
    OFF = "off"
    """Not configured, and not needed."""
    WARNING = "warning"
    DOWN = "down"
    """Configured, and it cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`configured` never holds a password. `seconds`: how long the look took."""

    part: str = ""
    state: State
    configured: str = ""
    version: str = ""
    detail: str = ""
    remedy: str = ""
    seconds: float = 0.0


Probe = Callable[[], Finding]


def examine(probes: Mapping[str, Probe], *, seconds: float = SECONDS) -> list[Finding]:
    """All at once, each in a thread of its own; one that does not answer in time is down."""
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
    try:
        finding = probe()
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the part cannot be used
        finding = Finding(state=State.DOWN, detail=f"{type(error).__name__}: {error}".split("\n")[0][:300])
    found[name] = replace(finding, seconds=round(time.monotonic() - began, 3))


def without_password(url: str) -> str:
    split = urlsplit(url)
    if split.password is None:
        return url
    return urlunsplit(split._replace(netloc=split.netloc.replace(f":{split.password}@", ":***@")))
