"""How long a test waits for what must come: so long that only a fault is waited for in vain, on a busy machine too.

What does not depend on the machine is awaited by its condition, never slept for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 180.0
"""The one limit of all waits. pytest's own (`timeout` in pyproject.toml) is longer, so that a wait can say what it
waited for."""


def wait_until(done: Callable[[], object], what: str | Callable[[], object], *, pause: float = 0.05) -> None:
    """Ask `done` every `pause` seconds until it is true; after PATIENCE_SECONDS fail with `what` was awaited."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {said}")
        time.sleep(pause)
