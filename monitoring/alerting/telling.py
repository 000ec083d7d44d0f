"""Send the messages of alerts that are due, and close what is over."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import F, Q

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.outages import AWAY
from foundation.guarded import guarded
from foundation.identity.permissions import OPERATOR
from monitoring.alerting.addresses import alert_page
from monitoring.alerting.grouping import STAYS, state_of
from monitoring.alerting.inhibition import inhibit
from monitoring.alerting.quiet import hush
from monitoring.core import alerting
from monitoring.core.alerting import RUN, SITE
from monitoring.models import Alert, AlertMember, AlertNote
from notifications.message import Message, Person, verbatim
from notifications.services import existing_channels, notify, of_account, reachable, supersede
from orchestration.models import Run

log = logging.getLogger("workflows")

MOST_AT_ONCE = 100
MOST_ALOUD, ALOUD_WITHIN = 10, timedelta(minutes=1)
"""Critical alerts of a minute of each of which people hear at once: many errors of a kind that has no name yet, or
somebody who makes them, must not ring a thousand times."""
SEEN_WITHIN = timedelta(seconds=30)
"""What is wrong with the site is told if it was there then; after a stop of all that watches it is looked at first."""

NAMED = 5
"""Runs that a message names."""


def tell_and_close() -> int:
    """One pass; returns how many messages were told."""
    now = database_now()
    hush(now)
    _let_ended_leave(now)
    inhibit(now)
    known = ~Q(rule__source=SITE) | Q(last_seen_at__gte=now - SEEN_WITHIN)
    due = Alert.objects.filter(known, tell_at__lte=now, state=Alert.FIRING).order_by("tell_at").select_related("rule")
    told = sum(guarded(partial(_tell, alert, now), partial(_put_off, alert, now)) for alert in due[:MOST_AT_ONCE])
    for alert in list(islice(_over(now), MOST_AT_ONCE)):
        close(alert, now, unseen=True)
    return told


def _over(now: datetime) -> Iterator[Alert]:
    """Alerts of runs that are to close; those that are held open for longer keep no other from it."""
    left = Alert.objects.filter(state=Alert.FIRING, members=0, rule__source=RUN).select_related("rule").order_by("pk")
    for alert in left.iterator():
        closes = alerting.closes_at(state_of(alert), alert.rule.resolve_after_s)
        if closes is not None and closes <= now:
            yield alert


def _tell(alert: Alert, now: datetime) -> int:
    """0 if another watcher has told it."""
    after = alerting.told(state_of(alert), now)
    upcoming = alerting.tell_at(after, alert.rule.repeat_s)
    with statements.writing():
        mine = Alert.objects.filter(pk=alert.pk, told_seq=alert.told_seq, state=Alert.FIRING).update(
            told_seq=F("told_seq") + 1, told_at=now, told_members=alert.members, told_severity=alert.severity,
            tell_at=upcoming,
        )  # fmt: skip
        if not mine:
            return 0
        names, unheard = _channels(alert)
        people = _people() if not names else []
        notify(
            subject=subject_of(alert), kind="alert.firing", message=message_of(alert, unheard), people=people,
            channels=names, dedupe=f"alert:{alert.pk}:{after.told_seq}", urgent=_is_urgent(alert, now), capped=False,
        )  # fmt: skip
        whom = ", ".join(names) or ", ".join(one.name for one in people) or "nobody"
        AlertNote.objects.create(alert=alert, at=now, kind="told", note=whom[:2000])
    return 1


def _is_urgent(alert: Alert, now: datetime) -> bool:
    """At once and by itself; where many are told at the same time, those beyond MOST_ALOUD become one message."""
    if alert.severity != "critical":
        return False
    others = Alert.objects.filter(state=Alert.FIRING, severity="critical", told_at__gt=now - ALOUD_WITHIN)
    return others.exclude(pk=alert.pk).count() < MOST_ALOUD


def _put_off(alert: Alert, now: datetime, error: Exception) -> int:
    """An alert that cannot be told does not keep the others from being told."""
    if isinstance(error, AWAY):
        raise error
    log.error("alert %s cannot be told", alert.pk, exc_info=error)
    with statements.writing():
        Alert.objects.filter(pk=alert.pk, tell_at__lte=now).update(tell_at=now + alerting.LEAST_BETWEEN)
    return 0


def subject_of(alert: Alert) -> str:
    """By which notices refer to it."""
    return f"alert:{alert.pk}"


def _channels(alert: Alert) -> tuple[list[str], list[str]]:
    """The channels of its rule that are there, and those that are not."""
    wanted = list(alert.rule.channels)
    there = existing_channels(wanted)
    return there, [name for name in wanted if name not in there]


def _people() -> list[Person]:
    """Accounts of the group operator, each by their own contacts."""
    group = Group.objects.filter(name=OPERATOR).first()
    users = get_user_model().objects.filter(groups=group, is_active=True).order_by("pk")[:200] if group else []
    return reachable([of_account(user) for user in users])


def message_of(alert: Alert, unheard: Iterable[str] = ()) -> Message:
    """What is sent of a firing alert."""
    lines = [verbatim(alert.sentence), ""]
    runs = list(
        Run.objects.filter(
            pk__in=AlertMember.objects.filter(alert=alert, left_at=None).order_by("pk").values_list("run_id", flat=True)
        ).order_by("pk")[: NAMED + 1]
    )
    lines += [f"- {verbatim(run.workflow_id)} ({run.status.replace('_', ' ')})" for run in runs[:NAMED]]
    if alert.members > NAMED:
        lines.append(f"- and {alert.members - NAMED:,} more")
    if alert.flapping:
        often = f"{alert.flaps} times within an hour"
        lines.append(f"\nIt opens again and again ({often}), so it closes after half an hour of quiet.")
    lines += [
        f"\nNobody hears of it by {name}: there is no such channel; an administrator makes it." for name in unheard
    ]
    return Message(title=alert.title, text="\n".join(lines).strip(), url=alert_page(alert.pk))


def close(alert: Alert, now: datetime, *, by: str = "", note: str = "", unseen: bool = False) -> bool:
    """Resolve it; False if another did. What was sent of it says so where its service can change it.

    `unseen`: only if its trouble was not seen again meanwhile; False then.
    """
    found = Alert.objects.filter(pk=alert.pk, state=Alert.FIRING)
    with statements.writing():
        mine = (found.filter(members=0, last_seen_at=alert.last_seen_at) if unseen else found).update(
            state=Alert.RESOLVED, resolved_at=now, tell_at=None, acked_at=None, acked_by=""
        )
        if not mine:
            return False
        AlertMember.objects.filter(alert=alert, left_at=None).update(left_at=now)
        AlertNote.objects.create(alert=alert, at=now, kind="resolved", actor=by, note=note)
        if alert.told_seq:
            over = Message(
                title=f"Resolved: {alert.title}"[:300], text=verbatim(alert.sentence), url=alert_page(alert.pk)
            )
            supersede(subject=subject_of(alert), message=over, dedupe=f"alert:{alert.pk}:resolved")
    return True


def _let_ended_leave(now: datetime) -> None:
    """Runs that were rolled back leave after an hour; of what still stands, only a person's word ends the alert."""
    old = AlertMember.objects.filter(
        code=STAYS[0], left_at=None, joined_at__lt=now - alerting.LEAVES_AFTER, alert__state=Alert.FIRING
    )
    ids = list(old.values_list("pk", "alert_id")[:1000])
    if not ids:
        return
    with statements.writing():
        AlertMember.objects.filter(pk__in=[pk for pk, _ in ids]).update(left_at=now)
        for alert_id in {alert_id for _, alert_id in ids}:
            left = AlertMember.objects.filter(alert_id=alert_id, left_at=None).values("run_id").distinct().count()
            Alert.objects.filter(pk=alert_id).update(members=left, last_seen_at=now)
