"""Learn from runs that have ended how long their steps, and they themselves, usually take.

Only successes of undisturbed runs teach, so that an outage does not become what is usual: a run that completed without
a warning, none of whose attempts failed or was taken up twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, Q

from foundation.db import statements
from monitoring.core.norms import Sketch
from monitoring.models import Norm
from monitoring.watch.judge import Judged
from orchestration.core.enums import Outcome, RunStatus
from orchestration.models import Command

MOST_ATTEMPTS = 500
MOST_NORMS = 20_000
MOST_OF_A_SAGA = 1000
"""So that one with very many steps does not push out what is known of the others."""
Values = dict[tuple[str, str, str], list[float]]


def learn(judged: Iterable[Judged], now: datetime) -> list[statements.Statement]:
    """What stores the norms with these runs folded in; nothing of runs that have not ended well."""
    good = [one for one in judged if one.facts.status is RunStatus.COMPLETED and not one.health.issues and one.teaches]
    if not good:
        return []
    values = _values(good)
    return _statements(values, now) if values else []


def _values(good: Sequence[Judged]) -> Values:
    sagas = {one.facts.run_id: one.facts for one in good}
    ended = Command.objects.filter(run_id__in=sagas, kind="run_action", status=Command.DONE, started_at__isnull=False)
    disturbed = set(
        ended.filter(~Q(outcome__in=(Outcome.SUCCEEDED, Outcome.PARKED)) | Q(tries__gt=1)).values_list(
            "run_id", flat=True
        )
    )
    values: Values = defaultdict(list)
    taught: dict[int, int] = defaultdict(int)
    rows = ended.filter(outcome=Outcome.SUCCEEDED).exclude(run_id__in=disturbed)
    for pk, step_id, purpose, began, over in rows.values_list("run_id", "step_id", "purpose", "started_at", "ended_at"):
        taught[pk] += 1
        if began is not None and over is not None and taught[pk] <= MOST_ATTEMPTS:
            values[sagas[pk].saga_id, step_id, purpose].append((over - began).total_seconds())
    for pk, facts in sagas.items():
        if pk not in disturbed and facts.started_at is not None and facts.finished_at is not None:
            values[facts.saga_id, "", "forward"].append((facts.finished_at - facts.started_at).total_seconds())
    return dict(values)


def _statements(values: Values, now: datetime) -> list[statements.Statement]:
    known = {
        (row.saga_id, row.step_id, row.purpose): row
        for row in Norm.objects.filter(saga_id__in={saga for saga, _, _ in values})
    }
    many = Counter(saga_id for saga_id, _, _ in known)
    rows = []
    for key, seconds in values.items():
        row = known.get(key)
        if row is None:
            if key[1] and many[key[0]] >= MOST_OF_A_SAGA:
                continue
            many[key[0]] += 1
        before = Sketch({int(bucket): weight for bucket, weight in row.sketch.items()}) if row is not None else Sketch()
        age = (now - row.updated_at).total_seconds() if row is not None else 0.0
        sketch = before.with_values(seconds, age=age)
        weights = {str(bucket): round(weight, 3) for bucket, weight in sketch.buckets.items()}
        quantiles = [sketch.quantile(share) for share in (0.5, 0.95, 0.99)]
        rows.append((*key, statements.as_json(weights), round(sketch.weight, 3), *quantiles, statements.moment(now)))
    return statements.insert(
        "monitoring_norm", "saga_id, step_id, purpose, sketch, n, p50, p95, p99, updated_at", rows,
        on_conflict="(saga_id, step_id, purpose) DO UPDATE SET sketch = excluded.sketch, n = excluded.n, "
        "p50 = excluded.p50, p95 = excluded.p95, p99 = excluded.p99, updated_at = excluded.updated_at",
    )  # fmt: skip


def forget_old_norms() -> int:
    """Keep the number of norms within bounds: the least recently used ones go. Returns how many."""
    many = Norm.objects.count() - MOST_NORMS
    if many <= 0:
        return 0
    with statements.writing():
        old = Norm.objects.order_by(F("updated_at")).values_list("pk", flat=True)[:many]
        return Norm.objects.filter(pk__in=list(old)).delete()[0]
