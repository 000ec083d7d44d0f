"""Alerts that another one explains are shown and not told, for as long as that one is firing.

An engine that is away explains the runs that stand still on it; a run below explains the one that waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from foundation.db import statements
from monitoring.alerting.grouping import state_of
from monitoring.core import alerting
from monitoring.core.site.rules import EXPLAINS, Labelled, explained_by
from monitoring.models import Alert, AlertMember, AlertNote
from orchestration.models import Run

MOST_LOOKED_AT = 500
MOST_MEMBERS = 1000


def inhibit(now: datetime) -> None:
    """Note which firing alerts another one explains, and take that back of those that stand for themselves again."""
    explaining = list(Alert.objects.filter(state=Alert.FIRING, rule__name__in=EXPLAINS).select_related("rule"))
    explained = {name for alert in explaining for name in EXPLAINS[alert.rule.name]}
    looked_at = Q(inhibited_by__isnull=False) | Q(rule__name__in=explained) | Q(told_seq=0, rule__source="run")
    found = Alert.objects.filter(looked_at, state=Alert.FIRING).select_related("rule").order_by("-pk")
    alerts = list(found[:MOST_LOOKED_AT])
    if not alerts:
        return
    by_child = _explained_by_children([one for one in alerts if one.rule.source == "run"])
    causes = [_labelled(one) for one in explaining]
    for alert in alerts:
        cause = explained_by(_labelled(alert), causes) or by_child.get(alert.pk)
        if cause != alert.inhibited_by_id:
            _note(alert, cause, now)


def _labelled(alert: Alert) -> Labelled:
    return Labelled(pk=alert.pk, rule=alert.rule.name, labels=alert.labels)


def _note(alert: Alert, cause: int | None, now: datetime) -> None:
    alert.inhibited_by_id = cause
    upcoming = alerting.tell_at(state_of(alert), alert.rule.repeat_s)
    with statements.writing():
        mine = Alert.objects.filter(pk=alert.pk, state=Alert.FIRING)
        if mine.update(inhibited_by_id=cause, tell_at=upcoming):
            what = f"alert {cause} explains it" if cause else "no other alert explains it any more"
            AlertNote.objects.create(alert=alert, at=now, kind="inhibited", note=what)


def _explained_by_children(alerts: Sequence[Alert]) -> Mapping[int, int]:
    """{alert: one of the runs below}, of alerts all of whose runs wait, at that step, for a run that has an alert."""
    ids = [alert.pk for alert in alerts]
    members = defaultdict(set)
    rows = AlertMember.objects.filter(alert_id__in=ids, left_at=None).order_by("pk")
    for alert_id, run_id, step_id in rows.values_list("alert_id", "run_id", "step_id")[:MOST_MEMBERS]:
        members[alert_id].add((run_id, step_id))
    parents = {run_id for pairs in members.values() for run_id, _ in pairs}
    below = Run.objects.filter(parent_id__in=parents).values_list("pk", "parent_id", "parent_step")[:MOST_MEMBERS]
    waits = {pk: (parent, step) for pk, parent, step in below}
    if not waits:
        return {}
    firing = AlertMember.objects.filter(run_id__in=list(waits), left_at=None, alert__state=Alert.FIRING)
    cause: dict[tuple[int | None, str], int] = {}
    for run_id, alert_id in firing.values_list("run_id", "alert_id"):
        cause.setdefault(waits[run_id], alert_id)
    found = {}
    for alert in alerts:
        causes = [cause.get(pair) for pair in members[alert.pk]]
        first = next(iter(causes), None)
        if causes and all(causes) and first is not None and alert.pk not in causes:
            found[alert.pk] = first
    return found
