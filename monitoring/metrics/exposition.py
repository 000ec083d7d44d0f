"""All metrics in the text format of Prometheus, with HELP and TYPE also of those that have no sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django.db.models import Q
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from foundation.telemetry import Values
from foundation.telemetry.metrics import STEPS_TO_DOUBLE
from monitoring.metrics.fold import as_values
from monitoring.metrics.gauges import Gauge, gauges
from monitoring.metrics.store import merge
from monitoring.models import Point, Series
from monitoring.queries.families import COUNTER, FAMILIES, GAUGE, Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Samples = Mapping[str, list[tuple[dict[str, str], Values]]]


def text() -> bytes:
    """What all processes have stored in all, and how high the gauges are now."""
    return generate_latest(_Site())


class _Site:
    """What prometheus-client calls a registry, as far as it asks for one here."""

    def collect(self) -> Iterator[Metric]:
        stored, now = _stored(), _by_name(gauges())
        for family in FAMILIES.values():
            yield _metric(family, stored, now)


def _stored() -> Samples:
    """{name: labels and values of each series}, since the beginning. One query, whatever history holds."""
    sums: dict[int, Values] = {}
    rows = Point.objects.filter(Q(res=Point.ALL) | Q(part__gt=""))
    for pk, count, total, hist in rows.values_list("series_id", "count", "total", "hist"):
        merge(sums.setdefault(pk, Values()), as_values(count, total, hist))
    found: dict[str, list[tuple[dict[str, str], Values]]] = defaultdict(list)
    for pk, name, labels in Series.objects.order_by("name", "pk").values_list("pk", "name", "labels"):
        if pk in sums:
            found[name].append((labels, sums[pk]))
    return found


def _by_name(found: Iterable[Gauge]) -> Mapping[str, list[tuple[dict[str, str], float]]]:
    by_name: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for name, labels, value in found:
        by_name[name].append((labels, value))
    return by_name


def _metric(family: Family, stored: Samples, now: Mapping[str, list[tuple[dict[str, str], float]]]) -> Metric:
    if family.kind == GAUGE:
        gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in now.get(family.name, ()):
            gauge.add_metric(_values_of(family, labels), value)
        return gauge
    if family.kind == COUNTER:
        counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for combination, values in _merged(family, stored):
            counter.add_metric(combination, values.count)
        return counter
    histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for combination, values in _merged(family, stored):
        histogram.add_metric(combination, list(_buckets(family, values)), values.total)
    return histogram


def _values_of(family: Family, labels: Mapping[str, str]) -> list[str]:
    return [labels.get(label, "") for label in family.labels]


def _merged(family: Family, stored: Samples) -> list[tuple[list[str], Values]]:
    """One for each combination of the family's own labels."""
    found: dict[tuple[str, ...], Values] = {}
    for labels, values in stored.get(family.name, ()):
        merge(found.setdefault(tuple(_values_of(family, labels)), Values()), values)
    return [(list(labels), values) for labels, values in found.items()]


def _buckets(family: Family, values: Values) -> Iterator[tuple[str, float]]:
    """Each edge with how many values are not above it: an edge is the end of one of our own, finer buckets."""
    for exponent in family.edges:
        below = sum(many for bucket, many in values.buckets.items() if bucket <= exponent * STEPS_TO_DOUBLE)
        yield str(float(2**exponent)), below
    yield "+Inf", values.count
