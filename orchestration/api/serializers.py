"""Shapes: what comes in is checked here, what goes out is described here for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from orchestration.api.document import SAGA_SCHEMA
from orchestration.core.matrix import MISHAPS
from orchestration.core.words import Answer

WORKFLOW_ID = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.:~-]*\Z", "letters, digits, . _ : ~ -, begins with one of the first"
)
SAGA_ID = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "letters, digits, . _ -, begins with one of the first")


class Number(s.FloatField):
    """A number and nothing that could be turned into one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise s.ValidationError("Not a number.")
        return float(super().to_internal_value(data))


class Text(s.CharField):
    """A string and nothing that could be turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise s.ValidationError("Not a string.")
        return str(super().to_internal_value(data))


@extend_schema_field(OpenApiTypes.OBJECT)
class Mapping(s.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise s.ValidationError("Not an object.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(OpenApiTypes.ANY)
class Anything(s.JSONField):
    pass


@extend_schema_field({"$ref": SAGA_SCHEMA})
class Saga(Mapping):
    pass


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


class Problem(s.Serializer[Any]):
    type = s.CharField()
    title = s.CharField()
    status = s.IntegerField()
    detail = s.CharField()
    field = s.CharField(required=False)
    remedy = s.CharField(required=False)
    problems = s.ListField(child=s.DictField(), required=False)
    instance = s.CharField()


class DefinitionOut(s.Serializer[Any]):
    saga_id = s.CharField()
    version = s.IntegerField()
    hash = s.CharField()
    name = s.CharField()
    warnings = s.ListField(child=s.CharField())
    published_by = s.CharField()
    published_at = s.DateTimeField()


class DefinitionFull(DefinitionOut):
    body = Mapping()


class Checked(s.Serializer[Any]):
    saga_id = s.CharField()
    steps = s.IntegerField()
    warnings = s.ListField(child=s.CharField())


class MatrixRow(s.Serializer[Any]):
    step_id = s.CharField()
    mishap = s.ChoiceField(choices=MISHAPS)
    status = s.CharField()
    undone = s.ListField(child=s.ListField(child=s.CharField()), help_text="in waves")
    stands = s.ListField(child=s.CharField(), help_text="executed, or possibly, and not undone")
    refused = s.BooleanField(help_text="the abort came too late")


class Matrix(s.Serializer[Any]):
    saga_id = s.CharField()
    rows = MatrixRow(many=True)
    left_out = s.ListField(
        child=s.CharField(), help_text="steps whose rows would have taken too long; `manage.py saga preview` has them"
    )


class RunRow(s.Serializer[Any]):
    workflow_id = s.CharField()
    kind = s.CharField()
    engine = s.CharField()
    status = s.CharField()
    cause = s.CharField(allow_null=True)
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)


class Compensation(s.Serializer[Any]):
    status = s.CharField()
    attempts = s.IntegerField()
    error = s.CharField(allow_blank=True)


class Iteration(s.Serializer[Any]):
    iteration = s.IntegerField()
    compensation = s.CharField()


class StepOut(s.Serializer[Any]):
    step_id = s.CharField()
    status = s.CharField()
    attempts = s.IntegerField()
    output = Anything()
    error = s.CharField(allow_blank=True)
    compensation = Compensation()
    possibly_repeated = s.IntegerField(
        required=False,
        help_text="how many workers took an attempt up, when one was lost: the call may have been made before",
    )
    earlier = Iteration(
        many=True, required=False, help_text="after a rerun: the iterations before it, and what became of their effects"
    )


class RunOut(RunRow):
    saga_id = s.CharField()
    definition_version = s.IntegerField()
    hold_reason = s.CharField(allow_blank=True)
    warnings = s.ListField(child=s.CharField())
    result = s.DictField(child=Anything(), allow_null=True)
    error = s.CharField(allow_blank=True)
    created_at = s.DateTimeField()
    steps = StepOut(many=True)


class EventOut(s.Serializer[Any]):
    seq = s.IntegerField()
    at = s.DateTimeField()
    kind = s.CharField()
    step_id = s.CharField(allow_null=True)
    data = Mapping()  # type: ignore[assignment]


class RunPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = RunRow(many=True)


class DefinitionPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    previous = s.CharField(allow_null=True)
    results = DefinitionOut(many=True)


class EventPage(s.Serializer[Any]):
    next = s.CharField(allow_null=True)
    results = EventOut(many=True)


class Why(s.Serializer[Any]):
    workflow_id = s.CharField()
    status = s.CharField()
    lines = s.ListField(child=s.CharField())


class PreviewOut(s.Serializer[Any]):
    verb = s.CharField()
    workflow_id = s.CharField()
    refusal = s.CharField(allow_blank=True)
    lines = s.ListField(child=s.CharField())
    data = Mapping()  # type: ignore[assignment]
