"""What goes out of rules of alerts and of acts on their runs, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from monitoring.api.serializers import HEALTH
from orchestration.api.fields import Mapping


class AlertRuleOut(s.Serializer[Any]):
    name = s.CharField()
    source = s.CharField(help_text="run, saga or site")  # type: ignore[assignment]
    severity = s.ChoiceField(choices=HEALTH)
    codes = Mapping(help_text="the codes that it tells of, with the least severity of each")
    enabled = s.BooleanField()
    channels = s.ListField(child=s.CharField())
    unheard = s.ListField(child=s.CharField(), help_text="channels that are not there")
    for_s = s.FloatField()
    resolve_after_s = s.FloatField()
    repeat_s = s.FloatField()
    shipped = s.BooleanField()
    firing = s.IntegerField()


class AlertActRun(s.Serializer[Any]):
    workflow_id = s.CharField(allow_blank=True)
    step_id = s.CharField(allow_null=True)
    legal = s.BooleanField()
    why = s.CharField(allow_null=True)


class AlertActPreview(s.Serializer[Any]):
    alert_id = s.IntegerField()
    verb = s.CharField()
    of = s.IntegerField(help_text="runs of the alert")
    legal = s.IntegerField(help_text="of the first 200, those on which it is legal now")
    runs = AlertActRun(many=True)
