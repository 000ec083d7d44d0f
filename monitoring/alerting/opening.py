"""Open the alert of a group that has none, held open where it flaps, quiet where a silence matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from monitoring.core import alerting
from monitoring.core.alerting import Group, Rule
from monitoring.core.health import Issue
from monitoring.models import Alert, AlertNote, AlertRule, Silence


@dataclass(frozen=True, slots=True)
class Told:
    """An issue that a rule tells of. `run_id`, `version`: of the run that has it; 0 where it is no run's."""

    issue: Issue
    rule: Rule
    group: Group
    saga_id: str = ""
    engine: str = ""
    run_id: int = 0
    version: int = 0


def firing(wanted: Sequence[Told], known: Mapping[str, tuple[AlertRule, Rule]], now: datetime) -> dict[str, Alert]:
    """{fingerprint: its firing alert}, opened where there is none. Another watcher may open it at the same time."""
    groups = {one.group.fingerprint: one for one in wanted}
    there = _by_fingerprint(groups)
    missing = [one for fingerprint, one in groups.items() if fingerprint not in there]
    if not missing:
        return there
    Alert.objects.bulk_create([_new(one, known[one.rule.name][0], now) for one in missing], ignore_conflicts=True)
    there = _by_fingerprint(groups)
    opened = [there[one.group.fingerprint] for one in missing if one.group.fingerprint in there]
    AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, kind="opened") for alert in opened])
    _flapping(opened, now)
    _silenced(opened, now)
    return there


def _by_fingerprint(groups: Iterable[str]) -> dict[str, Alert]:
    found = Alert.objects.filter(fingerprint__in=list(groups), state=Alert.FIRING)
    return {alert.fingerprint: alert for alert in found}


def _new(one: Told, row: AlertRule, now: datetime) -> Alert:
    labels = {
        "rule": one.rule.name, "target": one.issue.target, "saga_id": one.saga_id, "code": one.issue.code,
        "error_class": one.issue.error_class, "engine": one.engine, "severity": one.issue.severity.value,
    }  # fmt: skip
    return Alert(
        rule=row, fingerprint=one.group.fingerprint, severity=one.issue.severity.value, labels=labels,
        title=one.issue.sentence[:300], sentence=one.issue.sentence, opened_at=now, last_seen_at=now,
    )  # fmt: skip


def _flapping(opened: Sequence[Alert], now: datetime) -> None:
    """One that opens again and again is held open until it was quiet for a while."""
    recent = Alert.objects.filter(
        fingerprint__in=[alert.fingerprint for alert in opened], opened_at__gt=now - alerting.FLAP_WINDOW
    )
    counts = dict(recent.order_by().values_list("fingerprint").annotate(count=Count("pk")))
    for alert in opened:
        times = counts.get(alert.fingerprint, 1)
        if times >= alerting.FLAPS:
            Alert.objects.filter(pk=alert.pk).update(flapping=True, flaps=times)
            AlertNote.objects.create(alert=alert, at=now, kind="flap", note=f"opened {times} times within an hour")


def _silenced(opened: Sequence[Alert], now: datetime) -> None:
    """What a silence matches is shown and not told."""
    found = list(Silence.objects.filter(ended_at=None, ends_at__gt=now, starts_at__lte=now)) if opened else []
    for alert in opened:
        if alert.silence_id is None and (one := silence_of(alert, found)) is not None:
            alert.silence = one
            Alert.objects.filter(pk=alert.pk).update(silence=one)


def silence_of(alert: Alert, found: Iterable[Silence]) -> Silence | None:
    """Of the silences that match, the one that ends last."""
    return max((one for one in found if matches(one, alert)), key=lambda one: (one.ends_at, one.pk), default=None)


def matches(found: Silence, alert: Alert) -> bool:
    """Whether all matchers of a silence hold for the alert's labels."""
    return all(str(alert.labels.get(label, "")) == str(value) for label, value in found.matchers.items())
