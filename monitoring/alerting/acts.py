"""What people do about alerts: acknowledge, take that back, resolve, silence."""

from __future__ import annotations

from foundation import audit
from foundation.clock import database_now, iso
from foundation.db import statements
from foundation.errors import BadInput, NotFound, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean
from monitoring.alerting.grouping import STAYS, state_of
from monitoring.alerting.telling import close
from monitoring.core import alerting
from monitoring.core.alerting import RUN
from monitoring.models import Alert, AlertMember, AlertNote

CHAIN = "alerts"
"""The chain of the audit that these acts are in; it belongs to no run."""

LONGEST_NOTE = 2000


def alert_by_id(pk: int) -> Alert:
    """The alert.

    Raises:
        NotFound: there is none.
    """
    found = Alert.objects.filter(pk=pk).select_related("rule", "silence", "inhibited_by").first()
    if found is None:
        raise NotFound(f"there is no alert {pk}", field="id")
    return found


def acknowledge(pk: int, *, actor: Actor, note: str = "") -> Alert:
    """Say that somebody is on it: it is told again after a day only. Once more changes nothing.

    Raises:
        NotFound: there is no such alert.
        NotAllowed: the actor may not act on alerts.
        WrongState: it is resolved; the error says since when.
    """
    permissions.require(actor, "alert.act")
    with statements.writing():
        alert = _locked(pk)
        _require_firing(alert)
        if alert.acked_at is None:
            alert.acked_by, alert.acked_at = actor.name, database_now()
            alert.tell_at = alerting.tell_at(state_of(alert), alert.rule.repeat_s)
            alert.save(update_fields=["acked_by", "acked_at", "tell_at"])
            _noted(alert, actor, "acked", "alert.ack", note)
    return alert_by_id(pk)


def unacknowledge(pk: int, *, actor: Actor, note: str = "") -> Alert:
    """Take an acknowledgement back: nobody is on it. Raises as `acknowledge`."""
    permissions.require(actor, "alert.act")
    with statements.writing():
        alert = _locked(pk)
        _require_firing(alert)
        if alert.acked_at is not None:
            alert.acked_by, alert.acked_at = "", None
            alert.tell_at = alerting.tell_at(state_of(alert), alert.rule.repeat_s)
            alert.save(update_fields=["acked_by", "acked_at", "tell_at"])
            _noted(alert, actor, "unacked", "alert.unack", note)
    return alert_by_id(pk)


def resolve(pk: int, *, actor: Actor, note: str) -> Alert:
    """Close an alert of what does not go away by itself, such as an effect that was undone by hand. Needs a note.

    Raises:
        NotFound: there is no such alert.
        NotAllowed: the actor may not act on alerts.
        BadInput: no note.
        WrongState: it is resolved already, or what it tells of is still so: silence it, or mend it.
    """
    permissions.require(actor, "alert.act")
    if not note.strip():
        raise BadInput("a note is missing", field="note", remedy="say what was done about it")
    alert = alert_by_id(pk)
    _require_firing(alert)
    if (
        alert.rule.source != RUN
        or AlertMember.objects.filter(alert=alert, left_at=None).exclude(code__in=STAYS).exists()
    ):
        raise WrongState(f"alert {pk} is still so: {alert.sentence}", remedy="silence it, or mend it")
    with statements.writing():  # the end and its audit row, or neither
        if close(alert, database_now(), by=actor.name, note=clean(note)[:LONGEST_NOTE]):
            audit.record(actor=actor, action="alert.resolve", workflow_id=CHAIN, note=note, alert=pk, title=alert.title)
    return alert_by_id(pk)


def _locked(pk: int) -> Alert:
    found = Alert.objects.select_for_update(no_key=True, of=("self",)).filter(pk=pk).select_related("rule").first()
    if found is None:
        raise NotFound(f"there is no alert {pk}", field="id")
    return found


def _require_firing(alert: Alert) -> None:
    if alert.state != Alert.FIRING:
        raise WrongState(f"alert {alert.pk} was resolved at {iso(alert.resolved_at)}", remedy="there is nothing to do")


def _noted(alert: Alert, actor: Actor, kind: str, action: str, note: str) -> None:
    AlertNote.objects.create(
        alert=alert, at=database_now(), kind=kind, actor=actor.name, note=clean(note)[:LONGEST_NOTE]
    )
    audit.record(actor=actor, action=action, workflow_id=CHAIN, note=note, alert=alert.pk, title=alert.title)
