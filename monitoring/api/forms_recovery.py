"""What comes in about recovery policies, described; the checks of their fields are the core's."""

from __future__ import annotations

from rest_framework import serializers as s

from monitoring.core.conditions.vocabulary import KINDS
from monitoring.core.policy import Mode
from monitoring.trials.back_test import MOST_DAYS
from orchestration.api.fields import Mapping, Text
from orchestration.api.forms import Form

MODES = [one.value for one in Mode]


class ModeIn(Form):
    mode = Text(max_length=20, help_text=f"one of: {', '.join(MODES)}")


class TrialIn(Form):
    policy = Mapping(required=False, help_text="a draft: the fields of a RecoveryPolicy")
    policy_id = Text(required=False, max_length=60, help_text="or the policy of this id as it is")


class BackTestIn(TrialIn):
    days = s.IntegerField(required=False, min_value=1, max_value=MOST_DAYS, help_text="14 if it is left out")


POLICY_IN = {
    "application/json": {
        "type": "object",
        "description": "The fields of a RecoveryPolicy (docs/reference/recovery.md).",
        "required": ["policy_id", "name", "workflow_types", "conditions", "recovery_actions"],
        "properties": {
            "policy_id": {"type": "string"},
            "name": {"type": "string"},
            "workflow_types": {
                "type": "array", "items": {"type": "string"}, "description": f"{', '.join(KINDS)}, saga:<id> or *",
            },
            "conditions": {"type": "object"},
            "recovery_actions": {"type": "array", "items": {"type": "string"}},
            "mode": {"type": "string", "enum": MODES},
        },
    }
}  # fmt: skip
