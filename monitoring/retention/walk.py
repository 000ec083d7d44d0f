"""A way over all runs that have ended, in the order of their end, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from foundation.clock import database_now
from foundation.db import statements
from monitoring.retention.families import Family, end_of, families_of

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
ANEW = timedelta(days=7)
"""After so long the way begins anew: what was passed because somebody had it locked, or kept it, is looked at again."""
ENDS = 500
"""Read together."""


@dataclass(slots=True)
class Walk:
    """`after`: all that ended by then (and with that number) was looked at. `began`: when this way began.

    Each run is met once, and a family by its last end: until then it is passed over, and after that it is met no more.
    """

    after: tuple[datetime, int] = (FIRST, 0)
    began: datetime | None = None
    _found: list[Family] = field(default_factory=list)
    _place: tuple[datetime, int] | None = None

    @classmethod
    def stored(cls, told: Mapping[str, Any] | None, now: datetime) -> Walk:
        """As `as_json` told it; from the beginning where nothing is known, or the way has become old."""
        if not told:
            return cls(began=now)
        began = datetime.fromisoformat(told["began"])
        if began < now - ANEW:
            return cls(began=now)
        return cls(after=(datetime.fromisoformat(told["at"]), int(told["run"])), began=began)

    def as_json(self) -> dict[str, Any]:
        """For the row of the loop."""
        began = self.began or database_now()
        return {"at": self.after[0].isoformat(), "run": self.after[1], "began": began.isoformat()}

    def take(
        self, until: datetime, most: int, done: Callable[[Collection[int]], Collection[int]]
    ) -> list[Family] | None:
        """Families whose last end is next, up to `until`, so many at most; None when there are no more ends.

        `done`: which of some runs are done with, so that their families need no look. [] means only that there was
        nothing among the ends that were read.
        """
        if not self._found:
            page = self._page(until, ENDS)
            if not page:
                return None
            self._place, ends = page[-1], set(page)
            runs = [pk for _, pk in page]
            seen = done(runs)
            families = families_of(pk for pk in runs if pk not in seen)
            self._found = [family for family in families if end_of(family) in ends]
        taken, self._found = self._found[:most], self._found[most:]
        return taken

    def passed(self) -> None:
        """What was taken is done."""
        if not self._found and self._place is not None:
            self.after, self._place = self._place, None

    def left(self, until: datetime) -> int:
        """How many ends there are from here to `until`."""
        text = f"SELECT COUNT(*) FROM orchestration_run WHERE {_BETWEEN}"  # noqa: S608 - constants
        return int(statements.rows_of(statements.Statement(text, self._bounds(until)))[0][0][0])

    def oldest(self, until: datetime) -> datetime | None:
        """The next end; None when there is none up to `until`."""
        page = self._page(until, 1)
        return page[0][0] if page else None

    def _page(self, until: datetime, most: int) -> list[tuple[datetime, int]]:
        rows = statements.rows_of(statements.Statement(PAGE, [*self._bounds(until), most]))[0]
        return [(statements.as_moment(at).astimezone(UTC), pk) for at, pk in rows]

    def _bounds(self, until: datetime) -> list[Any]:
        return [statements.moment(self.after[0]), self.after[1], statements.moment(until)]


_BETWEEN = "finished_at IS NOT NULL AND (finished_at, id) > (%s, %s) AND finished_at <= %s"
PAGE = f"SELECT finished_at, id FROM orchestration_run WHERE {_BETWEEN} ORDER BY finished_at, id LIMIT %s"  # noqa: S608 - constants
