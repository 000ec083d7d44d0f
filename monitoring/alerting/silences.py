"""Silences: what matches is shown and not told, for a while and with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from foundation import audit
from foundation.clock import database_now, iso
from foundation.db import statements
from foundation.errors import BadInput, NotFound
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.visible_text import clean
from monitoring.alerting.acts import CHAIN, LONGEST_NOTE
from monitoring.alerting.opening import silence_of
from monitoring.alerting.quiet import give, lift
from monitoring.alerting.rules import all_rules
from monitoring.core.enums import HealthStatus
from monitoring.core.words import check
from monitoring.models import Alert, Silence
from orchestration.engines.registry import ENGINES

LONGEST_SILENCE = timedelta(days=30)
LONGEST_VALUE, MOST_OPEN = 200, 200
"""Characters of a label's value; silences at a time. Each is held against every alert, each second."""

LABELS = ("rule", "target", "saga_id", "code", "error_class", "engine", "severity")


def silence(
    *, matchers: Mapping[str, Any], reason: str, ends_at: datetime, actor: Actor, while_firing: bool = False
) -> Silence:
    """Tell of no alert that matches, until `ends_at` (aware, within 30 days). Pages show it all the same.

    `matchers`: {label: value}, which must all hold; labels: rule, target, saga_id, code, error_class, engine, severity.
    `while_firing`: it ends early, once none of these alerts is firing.

    Raises:
        NotAllowed: the actor may not act on alerts.
        BadInput: no reason, an unknown label, an end that has passed or is too far away.
    """
    permissions.require(actor, "alert.act")
    now = database_now()
    _check_silence(matchers, reason, ends_at, now)
    with statements.writing():
        if Silence.objects.filter(ended_at=None).count() >= MOST_OPEN:
            raise BadInput(f"{MOST_OPEN} silences are open", field="matchers", remedy="end one that is not needed")
        made = Silence.objects.create(
            matchers=dict(matchers), reason=clean(reason)[:LONGEST_NOTE], by=actor.name, by_id=actor.user_id,
            starts_at=now, ends_at=ends_at, while_firing=while_firing,
        )  # fmt: skip
        audit.record(
            actor=actor, action="alert.silence", workflow_id=CHAIN, note=reason, silence=made.pk,
            matchers=dict(matchers), ends_at=iso(ends_at),
        )  # fmt: skip
        for alert in Alert.objects.filter(state=Alert.FIRING).select_related("rule", "silence"):
            if silence_of(alert, [made, *([alert.silence] if alert.silence else [])]) == made:
                give(alert, made, now, actor=actor.name)
    return made


def end_silence(pk: int, *, actor: Actor) -> Silence:
    """End a silence now; what is still so is told, unless another silence matches it. Once more changes nothing.

    Raises:
        NotFound: there is no such silence.
        NotAllowed: the actor may not act on alerts.
    """
    permissions.require(actor, "alert.act")
    found = Silence.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"there is no silence {pk}", field="id")
    now = database_now()
    with statements.writing():
        if Silence.objects.filter(pk=pk, ended_at=None).update(ended_at=now, ended_by=actor.name):
            audit.record(actor=actor, action="alert.unsilence", workflow_id=CHAIN, silence=pk)
            lift(found, now)
    found.refresh_from_db()
    return found


def _check_silence(matchers: Mapping[str, Any], reason: str, ends_at: datetime, now: datetime) -> None:
    if not matchers:
        raise BadInput("a silence matches nothing", field="matchers", remedy=f"give one of: {', '.join(LABELS)}")
    for label, value in matchers.items():
        if label not in LABELS:
            told = str(label)[:40]
            raise BadInput(f"'{told}' is no label", field=f"matchers.{told}", remedy=f"one of: {', '.join(LABELS)}")
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_VALUE:
            raise BadInput(
                f"matchers.{label} is {repr(value)[:60]}", field=f"matchers.{label}",
                remedy=f"give a text of 1 to {LONGEST_VALUE} characters",
            )  # fmt: skip
        if label in ("rule", "severity", "engine"):
            check(f"matchers.{label}", value, _known(label))
    if not reason.strip():
        raise BadInput("a reason is missing", field="reason", remedy="say why nobody has to hear of it")
    if not now < ends_at <= now + LONGEST_SILENCE:
        raise BadInput(
            "the end is not within the next 30 days", field="ends_at", value=str(iso(ends_at)), remedy="give one"
        )


def _known(label: str) -> list[str]:
    """The values that a label with few of them can have: another would silence nothing, and nobody would notice."""
    if label == "rule":
        return sorted(all_rules())
    return [one.value for one in HealthStatus] if label == "severity" else sorted(ENGINES)
