"""Start-time fair queueing without a table of its own: one person's backlog does not delay another's next step.

What is ready is taken by its turn, the lowest first. A person's next command gets the turn after the last of theirs;
the command of a person who has none waiting gets the turn that is being served. A run's second, third, … attempt in
flight is placed so many turns further back, so that a run with many steps at once does not delay the person's other
runs.
"""

from __future__ import annotations

REGRESS = 1000
"""Another process may have served so many turns less. What is served further back belongs to a new rush."""

MOST_PEOPLE = 10_000
"""Whose last turns are remembered for each queue. Beyond it all are forgotten: they begin at what is being served."""


class Turns:
    """The turns of each queue as one process has seen them.

    The one being served, and the last that it gave to each person.
    """

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._last: dict[str, dict[str, int]] = {}

    def serves(self, queue: str, turn: int) -> None:
        """A command of this turn was taken."""
        self._served[queue] = max(turn, self._served.get(queue, 0))

    def looked(self, queue: str, first: int | None) -> None:
        """The first ready command has this turn. None: none is ready, so turns begin anew with the next command."""
        served = self._served.get(queue, 0)
        if first is None or first < served - REGRESS:
            self._last.pop(queue, None)
        self._served[queue] = first or 0

    def give(self, queue: str, person: str, in_flight: int) -> int:
        """A turn for the `in_flight`-th of a run's attempts in flight (from 1), of a run that is this person's."""
        last = self._last.setdefault(queue, {})
        base = max(self._served.get(queue, 0), last.get(person, -1) + 1)
        if in_flight <= 1:
            if len(last) >= MOST_PEOPLE:
                last.clear()
            last[person] = base
        return base + max(in_flight, 1) - 1
