"""The rows of series, within bounds: labels that would make too many say `other`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db.models import Exists, OuterRef

from foundation.telemetry import Series as Name
from monitoring.models import Point, Series

BOUNDED = {"saga_id": 200, "policy_id": 100, "route": 300, "rule": 200}
"""How many values of a label a metric has at most among what came within 30 days: as long as its hours are kept."""

OTHER = "other"
LONGEST = 100
ASK_AT_ONCE = 500


def ids_of(names: Collection[Name]) -> dict[Name, int]:
    """The id of each series' row, made where there is none; several names may have one row. None left: not in it."""
    wanted = {name: _key(name) for name in names}
    known = _known(wanted.values())
    missing = [name for name, key in wanted.items() if key not in known]
    if missing:
        renamed = _within_bounds(missing)
        wanted |= {name: _key(row) for name, row in renamed.items()}
        rows = [
            Series(name=name, labels=dict(labels), key=_key((name, labels)))
            for name, labels in dict.fromkeys(renamed.values())
        ]
        Series.objects.bulk_create(rows, ignore_conflicts=True)
        known |= _known(_key(row) for row in renamed.values())
    return {name: known[key] for name, key in wanted.items() if key in known}


def _known(keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    asked = list(keys)
    for start in range(0, len(asked), ASK_AT_ONCE):
        rows = Series.objects.filter(key__in=asked[start : start + ASK_AT_ONCE])
        found |= dict(rows.values_list("key", "pk"))
    return found


def _within_bounds(missing: Collection[Name]) -> dict[Name, Name]:
    """What each new series is called; those for which there is no room even as `other` are left out."""
    room = settings.ZEN_METRIC_SERIES_MOST - Series.objects.count()
    taken: dict[tuple[str, str], set[str]] = {}
    lately = Exists(Point.objects.filter(series=OuterRef("pk"), res__in=(Point.HOUR, Point.MINUTE)))
    unfolded = Exists(Point.objects.filter(series=OuterRef("pk"), part__gt=""))
    rows = Series.objects.filter(lately | unfolded, name__in={name for name, _ in missing})
    for name, labels in rows.values_list("name", "labels"):
        for label in BOUNDED.keys() & labels.keys():
            taken.setdefault((name, label), set()).add(labels[label])
    found: dict[Name, Name] = {}
    for series in missing:
        row = _bounded(series, taken, full=room <= 0)
        if room > 0 or any(label in BOUNDED for label, _ in series[1]):
            room -= row not in found.values()
            found[series] = row
    return found


def _bounded(series: Name, taken: dict[tuple[str, str], set[str]], *, full: bool) -> Name:
    """The series with `other` for what is beyond a bound."""
    name, labels = series
    told = []
    for label, value in labels:
        most = BOUNDED.get(label)
        if most is not None:
            values = taken.setdefault((name, label), set())
            if value not in values and (full or len(values) >= most):
                value = OTHER
            values.add(value)
        told.append((label, value[:LONGEST]))
    return name, tuple(told)


def _key(series: Name) -> str:
    name, labels = series
    told = "\x1f".join([name, *(f"{label}\x1e{value[:LONGEST]}" for label, value in labels)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
