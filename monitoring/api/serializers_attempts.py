"""What goes in and out about attempts of recovery, described for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from monitoring.core.enums import RecoveryAction
from monitoring.models import RecoveryAttempt
from orchestration.api.fields import Mapping, Text
from orchestration.api.forms import Form

ACTIONS = ", ".join(RecoveryAction)
STATES = (*RecoveryAttempt.OPEN, *RecoveryAttempt.ENDS)
LONGEST = 2000


class RecoverIn(Form):
    action = Text(required=False, max_length=20, help_text=f"one of: {ACTIONS}; left out: what health recommends")
    reason = Text(max_length=LONGEST)
    step_id = Text(required=False, allow_blank=True, max_length=100)
    note = Text(required=False, allow_blank=True, max_length=LONGEST)


class SwitchIn(Form):
    note = Text(required=False, allow_blank=True, max_length=LONGEST)


class RecoveryResultOut(s.Serializer[Any]):
    success = s.BooleanField()
    workflow_id = s.CharField()
    recovery_action = s.CharField(allow_null=True)
    attempt_id = s.IntegerField(allow_null=True)
    state = s.CharField(allow_null=True)
    message = s.CharField()
    new_workflow_id = s.CharField(allow_null=True)
    run = Mapping()


class RecoveryAttemptOut(s.Serializer[Any]):
    id = s.IntegerField()
    workflow_id = s.CharField()
    policy_id = s.CharField(allow_null=True, help_text="null: a person asked for it")
    actor = s.CharField()
    number = s.IntegerField(help_text="0: people were told, and nothing was done")
    of = s.IntegerField()
    action = s.CharField()
    step_id = s.CharField(allow_null=True)
    state = s.CharField(help_text=f"one of: {', '.join(STATES)}")
    reason = s.CharField()
    waits = s.CharField(allow_null=True)
    approval_id = s.CharField(allow_null=True)
    decided_at = s.DateTimeField()
    acted_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
    verdict = s.CharField(allow_null=True)
    new_workflow_id = s.CharField(allow_null=True)


class RecoveryAttemptPage(s.Serializer[Any]):
    more = s.BooleanField()
    results = RecoveryAttemptOut(many=True)


class RecoverySwitchOut(s.Serializer[Any]):
    stopped = s.BooleanField()
    stopped_by = s.CharField(allow_null=True)
    stopped_at = s.DateTimeField(allow_null=True)
    note = s.CharField(allow_null=True)
