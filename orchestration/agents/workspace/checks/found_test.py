"""One test as a value, whatever its language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTest:
    """`checks`: how many assertions it makes; `cases`: with how many sets of values it runs, where that can be read.

    `body`: its code without its name, so that a test is known again under another name.
    """

    checks: int
    skipped: bool
    body: str
    cases: int = 1
