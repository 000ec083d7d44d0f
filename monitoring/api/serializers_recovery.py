"""What goes out about recovery, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.api.fields import Mapping


class RecoveryPolicyOut(s.Serializer[Any]):
    policy_id = s.CharField()
    name = s.CharField()
    workflow_types = s.ListField(child=s.CharField())
    conditions = Mapping()
    recovery_actions = s.ListField(child=s.CharField())
    max_recovery_attempts = s.IntegerField()
    notification_channels = s.ListField(child=s.CharField())
    priority = s.IntegerField()
    hold_off_seconds = s.IntegerField()
    cooldown_seconds = s.IntegerField()
    max_per_hour = s.IntegerField()
    verify_seconds = s.IntegerField()
    needs_approval = s.ListField(child=s.CharField())
    approval_policy = s.CharField()
    escalate_to = s.ListField(child=s.CharField())
    canary = s.BooleanField()
    mode = s.CharField(help_text="off, shadow or live")
    version = s.IntegerField()
    hash = s.CharField()
    current = s.BooleanField()
    shipped = s.BooleanField(help_text="came with Zen")
    published_by = s.CharField()
    published_at = s.DateTimeField()


class RecoveryPolicyPublished(RecoveryPolicyOut):
    warnings = s.ListField(child=s.CharField(), help_text="what is doubtful about it")


class RecoveryPolicyFull(RecoveryPolicyPublished):
    versions = s.ListField(child=Mapping(), help_text="the latest first")


class JobOut(s.Serializer[Any]):
    id = s.IntegerField()
    kind = s.CharField(help_text="dry, back or act")
    state = s.CharField(help_text="open, done or failed")
    done = s.IntegerField(help_text="runs so far")
    of = s.IntegerField()
    body = Mapping()
    actor = s.CharField()
    results = Mapping(allow_null=True)
    error = s.CharField(allow_null=True)
    created_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)
