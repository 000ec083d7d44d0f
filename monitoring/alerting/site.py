"""Alerts of the site: groups without runs, opened and closed by what is found at each look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitoring.alerting.grouping import state_of
from monitoring.alerting.opening import Told, firing
from monitoring.alerting.rules import rules
from monitoring.alerting.telling import close
from monitoring.core import alerting
from monitoring.core.alerting import SITE, Rule
from monitoring.core.health import Issue
from monitoring.models import Alert


def follow(issues: Iterable[Issue], now: datetime, source: str = SITE) -> None:
    """Bring the alerts of a source's rules up to date with all that is wrong now. In the caller's transaction.

    What is not there any more is not told until it is seen again, and closes after its rule's `resolve_after_s`; so
    nothing closes while nobody looks.
    """
    known = rules()
    told = list(_told(issues, [rule for _, rule in known.values() if rule.source == source], now))
    alerts = firing(told, known, now) if told else {}
    for one in told:
        if (alert := alerts.get(one.group.fingerprint)) is not None:
            _update(alert, one, now)
    over = Alert.objects.filter(state=Alert.FIRING, rule__source=source).select_related("rule")
    for alert in over.exclude(pk__in=[alert.pk for alert in alerts.values()]):
        closes = alerting.closes_at(state_of(alert), alert.rule.resolve_after_s)
        if closes is not None and closes <= now:
            close(alert, now, unseen=True)
        elif alert.tell_at is not None:
            Alert.objects.filter(pk=alert.pk, last_seen_at=alert.last_seen_at).update(tell_at=None)


def _told(issues: Iterable[Issue], found: Sequence[Rule], now: datetime) -> Iterable[Told]:
    for issue in issues:
        rule = alerting.told_by(found, issue, now)
        if rule is not None:
            kind, _, name = issue.target.partition(":")
            yield Told(
                issue=issue, rule=rule, group=alerting.group_of(rule, issue), saga_id=name if kind == "saga" else "",
                engine=name if kind == "engine" else "",
            )  # fmt: skip


def _update(alert: Alert, one: Told, now: datetime) -> None:
    alert.severity, alert.last_seen_at = one.issue.severity.value, now
    alert.labels = {**alert.labels, "severity": alert.severity}
    alert.sentence, alert.title = one.issue.sentence, one.issue.sentence[:300]
    alert.tell_at = alerting.tell_at(state_of(alert), alert.rule.repeat_s)
    alert.save(update_fields=["severity", "labels", "last_seen_at", "sentence", "title", "tell_at"])
