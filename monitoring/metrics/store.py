"""What processes have measured, as rows."""

from __future__ import annotations

import itertools
import os
import socket
import uuid
from collections.abc import Mapping
from datetime import datetime

from foundation.clock import database_now
from foundation.db import statements
from foundation.telemetry import Series as Name
from foundation.telemetry import Values, count
from foundation.telemetry.metrics import DROPPED
from monitoring.metrics.names import ids_of
from monitoring.models import Point

_numbers = itertools.count(1)
_COLUMNS = "series_id, res, at, part, count, total, hist"


def add(measured: Mapping[Name, Values]) -> None:
    """Store what has been measured since the last time. A port: ZEN_METRICS_SINK.

    Raises:
        DatabaseError: it is not stored; the caller may bring it again.
    """
    if not measured:
        return
    with statements.writing():
        statements.run(*statements_for(measured, database_now()))


def statements_for(measured: Mapping[Name, Values], at: datetime) -> list[statements.Statement]:
    """What stores it, for a caller that does so in a transaction of its own. What there is no room for is dropped."""
    ids, part = ids_of(measured), _next_part()
    merged: dict[int, Values] = {}
    for name, values in measured.items():
        pk = ids.get(name)
        if pk is None:
            count(DROPPED)
        else:
            merge(merged.setdefault(pk, Values()), values)
    minute = statements.moment(at.replace(second=0, microsecond=0))
    rows = [
        (pk, Point.MINUTE, minute, part, one.count, one.total, statements.as_json(one.buckets))
        for pk, one in merged.items()
    ]
    return statements.insert("monitoring_point", _COLUMNS, rows)


def merge(into: Values, more: Values) -> None:
    """Add the one to the other."""
    into.count += more.count
    into.total += more.total
    for bucket, number in more.buckets.items():
        into.buckets[bucket] = into.buckets.get(bucket, 0) + number


def _next_part() -> str:
    """Like no other, in any process: rows with it are written once and never changed."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{next(_numbers)}:{uuid.uuid4().hex[:8]}"
