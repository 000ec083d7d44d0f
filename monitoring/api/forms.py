"""What comes in: notes on alerts, and silences, checked."""

from __future__ import annotations

from rest_framework import serializers as s

from monitoring.alerting.acts import LONGEST_NOTE
from orchestration.api.fields import Mapping, Text
from orchestration.api.forms import Form


class AlertNoteIn(Form):
    note = Text(required=False, allow_blank=True, max_length=LONGEST_NOTE)


class AlertResolveIn(AlertNoteIn):
    note = Text(max_length=LONGEST_NOTE)


class AlertActIn(AlertNoteIn):
    verb = Text(max_length=20)
    preview = s.BooleanField(required=False)


class AlertRuleIn(Form):
    enabled = s.BooleanField(required=False)
    channels = s.ListField(child=Text(max_length=200), required=False, max_length=20)
    for_s = s.FloatField(required=False)
    resolve_after_s = s.FloatField(required=False)
    repeat_s = s.FloatField(required=False)


class SilenceIn(Form):
    matchers = Mapping()
    reason = Text(max_length=LONGEST_NOTE)
    ends_at = s.DateTimeField()
    while_firing = s.BooleanField(required=False)
