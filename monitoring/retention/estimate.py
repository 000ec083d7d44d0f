"""How much there is to take away, for the doctor: before anything goes, and while pruning is behind."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection

from foundation.clock import database_now
from monitoring.core import durations
from monitoring.examine import Finding, State, own_connection
from monitoring.retention import ages
from monitoring.retention.beat import LONGEST, REST, begins_at
from monitoring.retention.pruning import DETAILS, RUNS
from monitoring.retention.walk import Walk
from monitoring.watch import loops

SECONDS_A_RUN = 0.003
"""Of work, as measured for a run of one step; rests come on top."""
PASSES_A_DAY = 24


@own_connection
def retention() -> Finding:
    """How much is to be condensed and removed, how long that will take, and how large the database is."""
    kept = ", ".join(
        f"{what} {f'{days} days' if days else 'for ever'}"
        for what, days in (("details", settings.ZEN_KEEP_DETAIL_DAYS), ("runs", settings.ZEN_KEEP_RUNS_DAYS))
    )
    if not settings.ZEN_PRUNE:
        remedy = "ZEN_PRUNE=on lets workers prune; `manage.py prune` does it once"
        return Finding(state=State.OFF, configured=kept, detail=_said(waiting(), None), remedy=remedy)
    begins = begins_at()
    return Finding(state=State.OK, configured=kept, detail=_said(waiting(), begins))


def waiting() -> dict[str, int]:
    """How many ends of runs wait to be looked at by each stage; two counts by index."""
    stored = (loops.told(loops.PRUNE).get("detail") or {}).get("walks") or {}
    now = database_now()
    untils = {DETAILS: ages.details_until(), RUNS: ages.runs_until()}
    return {name: Walk.stored(stored.get(name), now).left(until) for name, until in untils.items() if until is not None}


def database_bytes() -> int:
    """The size of the database on its disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_count")
        pages = int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_size")
        return pages * int(cursor.fetchone()[0])


def space() -> str:
    """The size of the database, in words, with what becomes of space that is freed."""
    return f"the database has {_size(database_bytes())}; what is pruned leaves space that is used again"


def _said(waits: dict[str, int], begins: datetime | None) -> str:
    condense, remove = waits.get(DETAILS, 0), waits.get(RUNS, 0)
    said = [space()]
    if condense or remove:
        work = (condense + remove) * SECONDS_A_RUN
        passes = work * (1 + REST) / LONGEST
        days = passes / PASSES_A_DAY
        took = f"{days:.0f} days of hourly passes" if days >= 2 else f"{max(1, round(passes))} hourly passes"
        said.append(
            f"{condense:,} runs to look at and condense, {remove:,} to remove: about {took}, or "
            f"{durations.in_words(2 * work)} of `manage.py prune`"
        )
    if begins is not None and begins > database_now():
        said.append(f"workers begin on {begins:%Y-%m-%d %H:%M} UTC")
    return "; ".join(said)


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
