"""Storms and circuits as rows: whether many runs fail at a target, and what came of the attempts there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from django.db.models import Count

from monitoring.core.enums import HealthStatus
from monitoring.core.recovery import brakes, storm
from monitoring.models import Circuit, RecoveryAttempt, RunHealth, Storm

FIELDS = ("ramp", "sent", "worked", "failures", "began", "next_at", "last_at")


def of_row(row: Storm) -> storm.Storm:
    """The storm that a row holds."""
    return storm.Storm(**{name: getattr(row, name) for name in FIELDS})


def keep(target: str, found: storm.Storm) -> None:
    """Store it."""
    Storm.objects.filter(pk=target).update(**{name: getattr(found, name) for name in FIELDS})


def targets() -> frozenset[str]:
    """Targets at which many runs fail now."""
    return frozenset(Storm.objects.values_list("target", flat=True))


def notice(hit: Iterable[str], now: datetime) -> None:
    """Begin a storm at those of the targets `hit` where one is; runs turned critical there just now."""
    names = {name for name in hit if name}
    known = set(Storm.objects.filter(target__in=names).values_list("target", flat=True)) if names else set()
    if known:
        Storm.objects.filter(target__in=known).update(last_at=now)
    for target in names - known:
        recent = RunHealth.objects.filter(
            target=target, status=HealthStatus.CRITICAL, since__gt=now - storm.WITHIN, ended=False
        )
        by_saga = dict(recent.order_by().values_list("saga_id").annotate(count=Count("pk")))
        critical = sum(by_saga.values())
        if critical < storm.LEAST:
            continue
        open_runs = RunHealth.objects.filter(saga_id__in=list(by_saga), ended=False).count()
        if storm.begins(critical, open_runs):
            Storm.objects.bulk_create([Storm(target=target, **_fields(storm.begun(now)))], ignore_conflicts=True)
            # the others say so too, once they are looked at
            RunHealth.objects.filter(pk__in=list(recent.values_list("pk", flat=True)[:500])).update(look_at=now)


def _fields(found: storm.Storm) -> dict[str, object]:
    return {name: value for name, value in asdict(found).items() if name in FIELDS}


def feed(attempt: RecoveryAttempt, worked: bool, now: datetime) -> None:
    """Count the verdict of a policy's attempt: for the storm at its target, else for the circuit of its action."""
    if not attempt.policy_id:
        return
    row = Storm.objects.select_for_update(no_key=True).filter(pk=attempt.target).first() if attempt.target else None
    if row is not None:
        keep(attempt.target, storm.told(of_row(row), worked, now))
        return
    if attempt.storm:
        return
    circuit, _ = Circuit.objects.get_or_create(key=circuit_key(attempt))
    circuit = Circuit.objects.select_for_update(no_key=True).get(pk=circuit.pk)
    keep_circuit(circuit, brakes.told(of_circuit(circuit), worked, now))


def circuit_key(attempt: RecoveryAttempt) -> str:
    """policy:target:action."""
    return f"{attempt.policy_id}:{attempt.target}:{attempt.action}"


def of_circuit(row: Circuit) -> brakes.Circuit:
    """The circuit that a row holds."""
    return brakes.Circuit(results=tuple(row.results), open_until=row.open_until, opened=row.opened, trying=row.trying)


def keep_circuit(row: Circuit, found: brakes.Circuit) -> None:
    """Store it."""
    row.results, row.open_until, row.opened, row.trying = (
        list(found.results), found.open_until, found.opened, found.trying,
    )  # fmt: skip
    row.save(update_fields=["results", "open_until", "opened", "trying"])


def end_what_is_over(now: datetime) -> None:
    """Storms after which it was quiet for a while."""
    for row in Storm.objects.filter(last_at__lte=now - storm.QUIET):
        left = RecoveryAttempt.objects.filter(target=row.target, state__in=RecoveryAttempt.OPEN).exclude(policy_id="")
        if storm.is_over(of_row(row), now, left.count()):
            Storm.objects.filter(pk=row.pk, last_at=row.last_at).delete()
            RunHealth.objects.filter(target=row.target, ended=False).update(look_at=now)
