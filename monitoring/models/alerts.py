"""Alerts: what is wrong with a group of runs, who knows of it, and what was said."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from monitoring.models.health import STATUSES

SOURCES = [(one, one) for one in ("run", "saga", "site")]


class AlertRule(models.Model):
    """Which issues are told, and where. `codes`: {code: least severity}; `shipped`: came with Zen; `source`: of what.

    `for_s`: so long an issue has to be there first; `resolve_after_s`: so long it has to be gone; `repeat_s`: after
    that a critical alert that nobody has acknowledged is told again.
    """

    name = models.CharField(max_length=60, unique=True)
    source = models.CharField(max_length=4, choices=SOURCES, default="run")
    codes = models.JSONField(default=dict)
    severity = models.CharField(max_length=8, choices=STATUSES)
    for_s = models.FloatField(default=0)
    resolve_after_s = models.FloatField(default=60)
    repeat_s = models.FloatField(default=14_400)
    channels = models.JSONField(default=list, blank=True)
    enabled = models.BooleanField(default=True)
    shipped = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Silence(models.Model):
    """Alerts that match are shown and not told, until it ends. `matchers`: {label: value}, all of which must hold."""

    matchers = models.JSONField()
    reason = models.TextField()
    by = models.CharField(max_length=150)
    by_id = models.BigIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    while_firing = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["ends_at"], condition=Q(ended_at=None), name="silence_to_end")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.reason[:60]}"


class Alert(models.Model):
    """A group in trouble. At most one of a fingerprint is firing.

    `members`: how many runs are in it now. `told_seq`: messages so far; `tell_at`: when the next one is due. `labels`:
    rule, target, saga_id, error_class, severity.
    """

    FIRING, RESOLVED = "firing", "resolved"

    rule = models.ForeignKey(AlertRule, on_delete=models.PROTECT, related_name="alerts")
    fingerprint = models.CharField(max_length=32)
    severity = models.CharField(max_length=8, choices=STATUSES)
    title = models.CharField(max_length=300)
    sentence = models.TextField()
    labels = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default=FIRING)
    acked_by = models.CharField(max_length=150, blank=True, default="")
    acked_at = models.DateTimeField(null=True, blank=True)
    silence = models.ForeignKey(Silence, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    inhibited_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="inhibits")
    flapping = models.BooleanField(default=False)
    flaps = models.PositiveIntegerField(default=0)
    members = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    told_seq = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True, blank=True)
    told_members = models.PositiveIntegerField(default=0)
    told_severity = models.CharField(max_length=8, blank=True, default="")
    tell_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["fingerprint"], condition=Q(state="firing"), name="one_alert_of_a_group")
        ]
        indexes = [
            models.Index(fields=["state", "severity", "-opened_at"], name="alert_list"),
            models.Index(fields=["tell_at"], condition=Q(tell_at__isnull=False), name="alert_to_tell"),
            models.Index(fields=["fingerprint", "-opened_at"], name="alert_history"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertMember(models.Model):
    """A run in an alert, from when to when."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="member_rows")
    run_id = models.BigIntegerField()
    code = models.CharField(max_length=30)
    step_id = models.CharField(max_length=100, blank=True, default="")
    version = models.PositiveIntegerField(default=0)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "run_id", "code"], name="one_member")]
        indexes = [models.Index(fields=["run_id"], name="member_by_run")]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.run_id}"


class AlertNote(models.Model):
    """What happened to an alert: opened, told, acked, joined, flap, silenced, resolved, act."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10)
    actor = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["alert", "at"], name="note_of_alert")]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind}"
