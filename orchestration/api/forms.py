"""What comes in: the body of a start and of an act, checked."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers as s

from orchestration.api.fields import Mapping, Saga, Text
from orchestration.core.enums import Answer

WORKFLOW_ID = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.:~-]*\Z", "letters, digits, . _ : ~ -, begins with one of the first"
)
SAGA_ID = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "letters, digits, . _ -, begins with one of the first")


class Form(s.Serializer[Any]):
    """What comes in. A key that nobody knows is refused: it is a misspelt one, most of the time."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            known = ", ".join(self.fields)
            raise s.ValidationError(dict.fromkeys(unknown, f"is not a known key; the keys here are: {known}"))
        return super().to_internal_value(data)


class StartIn(Form):
    definition = Saga(required=False)
    saga_id = Text(required=False, max_length=100, validators=[SAGA_ID])
    version = s.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    workflow_id = Text(required=False, max_length=200, validators=[WORKFLOW_ID])
    engine = s.ChoiceField(required=False, choices=["auto", "temporal", "celery"])
    context = Mapping(required=False)  # type: ignore[assignment]
    config = Mapping(required=False)


class ActIn(Form):
    step_id = Text(required=False, allow_blank=True, max_length=100)
    note = Text(required=False, allow_blank=True, max_length=10_000)
    answer = s.ChoiceField(required=False, choices=[answer.value for answer in Answer])
    action = Mapping(required=False)
