"""What goes out, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from monitoring.core.enums import HealthStatus, RecoveryAction
from orchestration.api.fields import Mapping

STATUSES = [one.value for one in HealthStatus]
HEALTH = [(one.value, one.name) for one in HealthStatus]


class ActOut(s.Serializer[Any]):
    action = s.ChoiceField(choices=[one.value for one in RecoveryAction], allow_null=True)
    verb = s.CharField(allow_null=True)
    step_id = s.CharField(allow_null=True)
    text = s.CharField()


class IssueOut(s.Serializer[Any]):
    code = s.CharField()
    severity = s.ChoiceField(choices=HEALTH)
    sentence = s.CharField()
    step_id = s.CharField(allow_null=True)
    since = s.DateTimeField()
    target = s.CharField(help_text="the host, handler or saga:step that it concerns")
    error_fp = s.CharField(help_text="the same for errors that differ only in ids, numbers and times")
    error_class = s.CharField()
    act = ActOut(allow_null=True)


class HealthRow(s.Serializer[Any]):
    workflow_id = s.CharField()
    status = s.ChoiceField(choices=HEALTH)
    issues_detected = s.ListField(child=s.CharField())
    recommendations = s.ListField(child=s.CharField())
    issues = IssueOut(many=True)
    since = s.DateTimeField()
    checked_at = s.DateTimeField()
    look_at = s.DateTimeField(allow_null=True)


class HealthPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = HealthRow(many=True)


class HealthCheckOut(s.Serializer[Any]):
    workflow_id = s.CharField()
    status = s.ChoiceField(choices=HEALTH)
    issues_detected = s.ListField(child=s.CharField())
    recommendations = s.ListField(child=s.CharField())
    issues = IssueOut(many=True)
    metrics = Mapping()
    checked_at = s.DateTimeField()
    look_at = s.DateTimeField(allow_null=True)
    recovery_actions_available = s.ListField(child=s.CharField())


class Dashboard(s.Serializer[Any]):
    generated_at = s.DateTimeField()
    window_hours = s.IntegerField()
    monitoring = Mapping()
    summary = Mapping()
    by_status = Mapping()
    by_engine = Mapping()
    by_type = Mapping()
    by_saga = s.ListField(child=Mapping())
    alerts = s.ListField(child=Mapping())
    recoveries = s.ListField(child=Mapping())
    workers = s.ListField(child=Mapping())
    site = IssueOut(many=True)


class NormOut(s.Serializer[Any]):
    saga_id = s.CharField()
    step_id = s.CharField(allow_null=True)
    purpose = s.CharField()
    n = s.FloatField()
    p50 = s.FloatField(allow_null=True)
    p95 = s.FloatField(allow_null=True)
    p99 = s.FloatField(allow_null=True)
    slow_seconds = s.FloatField()
    why = s.CharField()
    updated_at = s.DateTimeField()


class AlertOut(s.Serializer[Any]):
    id = s.IntegerField()
    rule = s.CharField()
    severity = s.ChoiceField(choices=HEALTH)
    state = s.CharField(help_text="firing or resolved")
    title = s.CharField()
    sentence = s.CharField()
    labels = Mapping()
    members = s.IntegerField(help_text="runs that are in it now")
    acked_by = s.CharField(allow_null=True)
    acked_at = s.DateTimeField(allow_null=True)
    silenced_until = s.DateTimeField(allow_null=True)
    inhibited_by = s.IntegerField(allow_null=True)
    flapping = s.BooleanField()
    opened_at = s.DateTimeField()
    last_seen_at = s.DateTimeField()
    resolved_at = s.DateTimeField(allow_null=True)
    acts = s.ListField(child=s.CharField())
    url = s.CharField()


class AlertPage(s.Serializer[Any]):
    more = s.BooleanField()
    results = AlertOut(many=True)


class AlertMemberOut(s.Serializer[Any]):
    workflow_id = s.CharField(allow_null=True)
    status = s.CharField(allow_null=True)
    code = s.CharField()
    step_id = s.CharField(allow_null=True)
    joined_at = s.DateTimeField()
    left_at = s.DateTimeField(allow_null=True)


class AlertNoteOut(s.Serializer[Any]):
    at = s.DateTimeField()
    kind = s.CharField()
    actor = s.CharField(allow_null=True)
    note = s.CharField()


class AlertFull(AlertOut):
    member_list = AlertMemberOut(many=True)
    notes = AlertNoteOut(many=True)


class SilenceOut(s.Serializer[Any]):
    id = s.IntegerField()
    matchers = Mapping()
    reason = s.CharField()
    by = s.CharField()
    starts_at = s.DateTimeField()
    ends_at = s.DateTimeField()
    while_firing = s.BooleanField()
    ended_at = s.DateTimeField(allow_null=True)
    ended_by = s.CharField(allow_null=True)


class PointOut(s.Serializer[Any]):
    at = s.DateTimeField()
    count = s.FloatField()
    sum = s.FloatField()
    mean = s.FloatField(allow_null=True)
    p50 = s.FloatField(allow_null=True)
    p95 = s.FloatField(allow_null=True)
    p99 = s.FloatField(allow_null=True)


class SeriesGroup(s.Serializer[Any]):
    labels = s.DictField(child=s.CharField())
    points = PointOut(many=True)


class SeriesOut(s.Serializer[Any]):
    name = s.CharField()
    step = s.ChoiceField(choices=["m", "h", "d"])
    series = SeriesGroup(many=True)
