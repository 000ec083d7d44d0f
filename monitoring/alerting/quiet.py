"""Which silence keeps an alert quiet, by the labels that both have now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from foundation.db import statements
from monitoring.alerting.grouping import state_of
from monitoring.alerting.opening import matches, silence_of
from monitoring.core import alerting
from monitoring.models import Alert, AlertNote, Silence


def hush(now: datetime) -> None:
    """End the silences that are over, and hold the others against all that is firing, since labels change."""
    found = list(Silence.objects.filter(ended_at=None))
    firing = list(Alert.objects.filter(state=Alert.FIRING).select_related("rule")) if found else []
    over = [one for one in found if one.ends_at <= now or (one.while_firing and not _any(firing, one))]
    for one in over:
        with statements.writing():
            if Silence.objects.filter(pk=one.pk, ended_at=None).update(ended_at=now):
                lift(one, now)
    left = [one for one in found if one not in over]
    for alert in firing if left else ():
        wanted = silence_of(alert, left)
        if (wanted.pk if wanted else None) != alert.silence_id and not _one_of(over, alert.silence_id):
            with statements.writing():
                give(alert, wanted, now)


def give(alert: Alert, wanted: Silence | None, now: datetime, *, actor: str = "") -> None:
    """Put the alert under this silence in place of the one that it is known to have; without one it may be told anew.

    What was told before its silence, and is still so after it, is told once more, unless somebody is on it. Inside the
    caller's writing transaction; nothing where another has done so meanwhile.
    """
    before, alert.silence = alert.silence_id, wanted
    if wanted is None and alert.acked_at is None and (alert.told_at or now) <= now - alerting.LEAST_BETWEEN:
        alert.told_at = None
    there = alert.members or alert.rule.source != alerting.RUN
    alert.tell_at = alerting.tell_at(state_of(alert), alert.rule.repeat_s) if there else None
    mine = Alert.objects.filter(pk=alert.pk, silence=before, state=Alert.FIRING)
    if mine.update(silence=wanted, told_at=alert.told_at, tell_at=alert.tell_at):
        what = wanted.reason if wanted else "no silence matches it any more"
        AlertNote.objects.create(alert=alert, at=now, kind="silenced", actor=actor, note=what)


def lift(ended: Silence, now: datetime) -> None:
    """Its alerts are told again, but for what another silence matches. Inside the caller's writing transaction."""
    left = list(Silence.objects.filter(ended_at=None, ends_at__gt=now))
    for alert in Alert.objects.filter(silence=ended, state=Alert.FIRING).select_related("rule"):
        give(alert, silence_of(alert, left), now)


def _any(firing: Iterable[Alert], one: Silence) -> bool:
    return any(matches(one, alert) for alert in firing)


def _one_of(found: Sequence[Silence], pk: int | None) -> bool:
    return any(one.pk == pk for one in found)
