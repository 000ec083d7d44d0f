"""What tools answer, as JSON Schema made of REST's own descriptions: a field is named once, there."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from orchestration.api.fields import Anything, Mapping

Schema = dict[str, Any]
SIMPLE: tuple[tuple[type[s.Field[Any, Any, Any, Any]], Schema], ...] = (
    (Anything, {}),
    (Mapping, {"type": "object"}),
    (s.BooleanField, {"type": "boolean"}),
    (s.IntegerField, {"type": "integer"}),
    (s.FloatField, {"type": "number"}),
    (s.DateTimeField, {"type": "string", "format": "date-time"}),
    (s.CharField, {"type": "string"}),
    (s.ChoiceField, {"type": "string"}),
)

LEFT_OUT: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "description": "what was too large for an answer and is empty here",
}


def answer(shape: type[s.Serializer[Any]], **more: Schema) -> Schema:
    """The schema of an answer with the fields of `shape`, and `more` beside them."""
    found = _of_serializer(shape())
    found["properties"] |= more | {"left_out": LEFT_OUT}
    return found


def either(*shapes: Schema) -> Schema:
    """The schema of an answer that has one of these shapes."""
    return {"type": "object", "anyOf": list(shapes)}


PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "problem": {"type": "string"},
        "remedy": {"type": "string"},
        "value": {},
    },
    "required": ["field", "problem", "remedy", "value"],
}
PROBLEMS: Schema = {
    "type": "array",
    "items": PROBLEM,
    "description": "instead of all else: why it is refused, by field",
}


def or_refusal(shape: Schema) -> Schema:
    """The schema of an answer or of what stands in its place where a call is refused, since clients check both."""
    if "anyOf" in shape:
        refused = {"type": "object", "properties": {"problems": PROBLEMS}, "required": ["problems"]}
        return shape | {"anyOf": [*shape["anyOf"], refused]}
    either_of = [{"required": shape.get("required", [])}, {"required": ["problems"]}]
    found = {key: value for key, value in shape.items() if key != "required"}
    return found | {"properties": found.get("properties", {}) | {"problems": PROBLEMS}, "anyOf": either_of}


def page(row: type[s.Serializer[Any]]) -> Schema:
    """The schema of a page of rows: `results`, and `next_cursor` to go on with."""
    cursor = {"type": ["string", "null"], "description": "give it as `cursor` for what comes next; null at the end"}
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _of_serializer(row())},
            "next_cursor": cursor,
            "left_out": LEFT_OUT,
        },
        "required": ["results", "next_cursor"],
    }


def _of_serializer(shape: s.Serializer[Any]) -> Schema:
    fields = shape.fields
    return {
        "type": "object",
        "properties": {name: _of(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
    }


def _of(field: s.Field[Any, Any, Any, Any]) -> Schema:
    found = _kind(field)
    if field.allow_null and "type" in found:
        found = found | {"type": [found["type"], "null"]}
    return found | ({"description": str(field.help_text)} if field.help_text else {})


def _kind(field: s.Field[Any, Any, Any, Any]) -> Schema:
    if isinstance(field, s.ListSerializer | s.ListField) and field.child is not None:
        return {"type": "array", "items": _of(field.child)}
    if isinstance(field, s.Serializer):
        return _of_serializer(field)
    if isinstance(field, s.DictField):
        return {"type": "object", "additionalProperties": _of(field.child)}
    return dict(next((schema for kind, schema in SIMPLE if isinstance(field, kind)), {}))
