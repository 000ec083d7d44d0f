"""Fields of the API's bodies, which take a value of their type and nothing that could be turned into one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers as s

from orchestration.api.document import CONFIG_SCHEMA, SAGA_SCHEMA, SPEC_SCHEMA


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


@extend_schema_field({"$ref": SPEC_SCHEMA})
class Spec(Mapping):
    pass


@extend_schema_field({"$ref": CONFIG_SCHEMA})
class SpecConfig(Mapping):
    pass
