"""The second level of retries, which a run's configuration asks for: `retry_failed_steps`.

A step whose retry budget is spent, or that was refused, backs off once more before it aborts, blocks or is passed over.
The pauses travel in the plan, so both engines decide alike, and plans of before have none.
"""

from __future__ import annotations

PAUSES = (10.0, 60.0, 300.0)
"""Seconds before the first, second and third chance, where the configuration says true."""

MOST, LONGEST = 10, 3600.0
"""Chances of a step, and seconds before one of them."""


def second_chances(given: object) -> tuple[float, ...]:
    """The pauses in seconds that a stored configuration asks for; () for none, and for what no start would take."""
    if given is True:
        return PAUSES
    if not isinstance(given, list | tuple) or not are_pauses(given):
        return ()
    return tuple(float(seconds) for seconds in given)


def are_pauses(given: object) -> bool:
    """Whether it is a list of 1 to MOST pauses of more than 0 and at most LONGEST seconds."""
    if not isinstance(given, list | tuple) or not 1 <= len(given) <= MOST:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) and 0 < one <= LONGEST for one in given)
