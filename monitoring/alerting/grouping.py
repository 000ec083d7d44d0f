"""Runs join the alert of their group and leave it, in the transaction that stores their health."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Count

from monitoring.alerting.failures import tell_of_failures
from monitoring.alerting.opening import Told, firing
from monitoring.alerting.rules import rules
from monitoring.core import alerting
from monitoring.core.alerting import AlertState, Rule
from monitoring.core.enums import HealthStatus
from monitoring.core.facts import RunFacts
from monitoring.core.health import Health
from monitoring.models import Alert, AlertMember

MOST_MEMBERS = 10_000
"""Rows of members that an alert keeps; a larger group is as bad."""

STAYS = ("ended_failed", "ended_incomplete")
"""What does not go away by itself: its runs leave after a while, or when a person closes the alert."""


def regroup(judged: Iterable[tuple[RunFacts, Health]], now: datetime) -> None:
    """Bring the alerts up to date with what these runs have now. Inside the caller's writing transaction."""
    known = rules()
    found = list(judged)
    tell_of_failures(found)
    wanted = list(_wanted(found, [rule for _, rule in known.values()], now))
    ids = [facts.run_id for facts, _ in found]
    there = list(
        AlertMember.objects.filter(run_id__in=ids, left_at=None, alert__state=Alert.FIRING).select_related("alert")
    )
    if not wanted and not there:
        return
    alerts = firing(wanted, known, now)
    left = {member.alert_id for member in there}
    locked = _locked({alert.pk for alert in alerts.values()} | left)
    if not {alert.pk for alert in alerts.values()} <= {alert.pk for alert in locked}:  # one was closed at this moment
        alerts = firing(wanted, known, now)
        locked = _locked({alert.pk for alert in alerts.values()} | left)
    _leave(there, wanted, now)
    _join(wanted, alerts, now)
    _recount(locked, wanted, now)


def _wanted(found: Sequence[tuple[RunFacts, Health]], all_rules: Sequence[Rule], now: datetime) -> Iterable[Told]:
    for facts, health in found:
        for issue in health.issues:
            if facts.alert_on_failure is False and issue.code != "undo_failed":
                continue
            rule = alerting.told_by(all_rules, issue, now)
            if rule is not None:
                yield Told(
                    issue=issue, rule=rule, group=alerting.group_of(rule, issue), saga_id=facts.saga_id,
                    engine=facts.engine, run_id=facts.run_id, version=facts.version,
                )  # fmt: skip


def _leave(there: Sequence[AlertMember], wanted: Sequence[Told], now: datetime) -> None:
    still = {(one.group.fingerprint, one.run_id, one.issue.code) for one in wanted}
    gone = [
        member.pk
        for member in there
        if (member.alert.fingerprint, member.run_id, member.code) not in still and member.code not in STAYS
    ]
    AlertMember.objects.filter(pk__in=gone).update(left_at=now)


def _join(wanted: Sequence[Told], alerts: Mapping[str, Alert], now: datetime) -> None:
    rows = [
        AlertMember(
            alert=alert, run_id=one.run_id, code=one.issue.code, step_id=one.issue.step_id,
            version=one.version, joined_at=now,
        )
        for one in wanted
        if (alert := alerts.get(one.group.fingerprint)) is not None and alert.members < MOST_MEMBERS
    ]  # fmt: skip
    AlertMember.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["alert", "run_id", "code"], update_fields=["left_at", "version"]
    )


def _locked(alert_ids: Collection[int]) -> list[Alert]:
    """Those that fire, locked so that nobody closes them."""
    if not alert_ids:
        return []
    found = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=alert_ids, state=Alert.FIRING)
    return list(found.select_related("rule").order_by("pk"))


def _recount(alerts: Sequence[Alert], wanted: Sequence[Told], now: datetime) -> None:
    """Members, severity, words and the next message of each alert, which are locked."""
    latest: dict[str, list[Told]] = defaultdict(list)
    for one in wanted:
        latest[one.group.fingerprint].append(one)
    counts = dict(
        AlertMember.objects.filter(alert_id__in=[alert.pk for alert in alerts], left_at=None)
        .order_by()
        .values_list("alert_id")
        .annotate(count=Count("run_id", distinct=True))
    )
    for alert in alerts:
        _update(alert, counts.get(alert.pk, 0), latest.get(alert.fingerprint, []), now)
    Alert.objects.bulk_update(
        alerts, ["members", "severity", "title", "sentence", "labels", "last_seen_at", "tell_at"], batch_size=200
    )


def _update(alert: Alert, members: int, told: Sequence[Told], now: datetime) -> None:
    if members or alert.members:
        alert.last_seen_at = now
    alert.members = members
    if told:
        worst = max(told, key=lambda one: one.issue.severity.rank)
        alert.severity = max(HealthStatus(alert.severity), worst.issue.severity, key=lambda one: one.rank).value
        alert.sentence = worst.issue.sentence
        alert.labels = {**alert.labels, **_of_several(alert, told), "severity": alert.severity}
        saga = alert.labels["saga_id"]
        alert.title = alerting.title(alert.rule.name, saga, worst.issue.target, members, worst.issue.sentence)[:300]
    alert.tell_at = alerting.tell_at(state_of(alert), alert.rule.repeat_s) if members else None


def _of_several(alert: Alert, told: Sequence[Told]) -> dict[str, str]:
    """Labels that its runs do not share say nothing, so that a silence of one saga is none of the others'."""
    labels = [{"saga_id": one.saga_id, "engine": one.engine, "code": one.issue.code} for one in told]
    return {name: "" for one in labels for name, value in one.items() if value != alert.labels.get(name)}


def state_of(alert: Alert) -> AlertState:
    """What decides when the alert is told."""
    return AlertState(
        severity=HealthStatus(alert.severity), members=alert.members, opened_at=alert.opened_at,
        last_seen_at=alert.last_seen_at, told_seq=alert.told_seq, told_at=alert.told_at,
        told_members=alert.told_members,
        told_severity=HealthStatus(alert.told_severity) if alert.told_severity else None,
        acked=alert.acked_at is not None, silenced=alert.silence_id is not None,
        inhibited=alert.inhibited_by_id is not None, flapping=alert.flapping,
    )  # fmt: skip
