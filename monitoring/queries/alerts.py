"""Alerts as JSON."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from foundation.clock import iso
from monitoring.alerting.addresses import alert_page
from monitoring.alerting.rules import all_rules
from monitoring.core.alerting import RUN
from monitoring.core.enums import HealthStatus
from monitoring.core.words import check
from monitoring.models import Alert, AlertMember, AlertRule, Silence
from notifications.services import existing_channels
from orchestration.models import Run

MOST_MEMBERS_SHOWN = 200


def alerts(
    *, state: str = Alert.FIRING, severity: str = "", rule: str = "", target: str = "", saga_id: str = ""
) -> QuerySet[Alert]:
    """The alerts that match, the worst and newest first; `state`: '' for all.

    Raises:
        BadInput: a state, severity or rule that there is none of.
    """
    check("state", state, (Alert.FIRING, Alert.RESOLVED))
    check("severity", severity, [one.value for one in HealthStatus])
    if rule:
        check("rule", rule, sorted(all_rules()))
    found = Alert.objects.select_related("rule", "silence")
    wanted = {
        "state": state,
        "severity": severity,
        "rule__name": rule,
        "labels__target": target,
        "labels__saga_id": saga_id,
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    ranks = [When(severity=one.value, then=Value(-one.rank)) for one in HealthStatus]
    return found.annotate(rank=Case(*ranks, output_field=IntegerField())).order_by("state", "rank", "-opened_at", "-pk")


def alert_view(alert: Alert) -> dict[str, Any]:
    """An alert as REST, the console and Python show it."""
    firing = alert.state == Alert.FIRING
    acts = ["unack" if alert.acked_at else "ack", *(["resolve"] if alert.rule.source == RUN else []), "silence"]
    return {
        "id": alert.pk,
        "rule": alert.rule.name,
        "severity": alert.severity,
        "state": alert.state,
        "title": alert.title,
        "sentence": alert.sentence,
        "labels": alert.labels,
        "members": alert.members,
        "acked_by": alert.acked_by or None,
        "acked_at": iso(alert.acked_at),
        "silenced_until": iso(alert.silence.ends_at) if alert.silence else None,
        "inhibited_by": alert.inhibited_by_id,
        "flapping": alert.flapping,
        "opened_at": iso(alert.opened_at),
        "last_seen_at": iso(alert.last_seen_at),
        "resolved_at": iso(alert.resolved_at),
        "acts": [*acts, *(["act"] if alert.members else [])] if firing else [],
        "url": alert_page(alert.pk),
    }


def rule_view(row: AlertRule) -> dict[str, Any]:
    """A rule as JSON. `unheard`: channels that it names and that are not there."""
    there = existing_channels(row.channels)
    return {
        "name": row.name,
        "source": row.source,
        "severity": row.severity,
        "codes": row.codes,
        "enabled": row.enabled,
        "channels": row.channels,
        "unheard": [name for name in row.channels if name not in there],
        "for_s": row.for_s,
        "resolve_after_s": row.resolve_after_s,
        "repeat_s": row.repeat_s,
        "shipped": row.shipped,
        "firing": Alert.objects.filter(rule=row, state=Alert.FIRING).count(),
    }


def members_of(alert: Alert) -> list[dict[str, Any]]:
    """Its runs, those that are in it now first; 200 at most."""
    rows = list(AlertMember.objects.filter(alert=alert).order_by("left_at", "pk")[:MOST_MEMBERS_SHOWN])
    runs = {run.pk: run for run in Run.objects.filter(pk__in=[row.run_id for row in rows])}
    return [
        {
            "workflow_id": runs[row.run_id].workflow_id if row.run_id in runs else None,
            "status": runs[row.run_id].status if row.run_id in runs else None,
            "code": row.code,
            "step_id": row.step_id or None,
            "joined_at": iso(row.joined_at),
            "left_at": iso(row.left_at),
        }
        for row in rows
    ]


def notes_of(alert: Alert) -> list[dict[str, Any]]:
    """What happened to it, in order; the last 200."""
    rows = list(alert.notes.order_by("-pk")[:200])[::-1]
    return [{"at": iso(row.at), "kind": row.kind, "actor": row.actor or None, "note": row.note} for row in rows]


def silence_view(row: Silence) -> dict[str, Any]:
    """A silence as JSON."""
    return {
        "id": row.pk,
        "matchers": row.matchers,
        "reason": row.reason,
        "by": row.by,
        "starts_at": iso(row.starts_at),
        "ends_at": iso(row.ends_at),
        "while_firing": row.while_firing,
        "ended_at": iso(row.ended_at),
        "ended_by": row.ended_by or None,
    }
