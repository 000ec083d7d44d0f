"""Whether the database has been reachable long enough to take a silent worker for lost.

After an outage, or after this process itself has stood still, living workers need time to renew their leases.
"""

from __future__ import annotations


class Steady:
    """`lease`: seconds. Fed with each renewal of the own lease that the database took.

    A gap of two thirds of a lease between two of them is one in which another living worker's lease may have lapsed.
    """

    def __init__(self, lease: float) -> None:
        self.lease = lease
        self._since: float | None = None
        self._last = 0.0

    @property
    def begun(self) -> bool:
        """Whether the lease was renewed at least once."""
        return self._since is not None

    def renewed(self, at: float, *, up_for: float = float("inf")) -> None:
        """The database took a renewal at `at` (ticks).

        `up_for`: seconds that its server has been up, for the first renewal.
        """
        if self._since is None:
            self._since = at - up_for
        elif at - self._last > self.lease * 2 / 3:
            self._since = at
        self._last = at

    def lasts(self, at: float) -> bool:
        """Whether the database has been reachable for a lease's time, and was reachable lately."""
        return self._since is not None and at - self._since >= self.lease and at - self._last <= self.lease * 2 / 3
