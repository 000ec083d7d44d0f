"""The places of a JSON Schema where a schema stands: by the meaning of its keywords, and behind its references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from foundation.validation.work_limit import spend

Path = tuple[str | int, ...]

PLAIN_VALUES = ("const", "enum", "default", "examples")
"""Keywords whose values are no schemas, unless a reference leads there."""
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose values are schemas under names that are no keywords."""
REFERENCES = ("$ref", "$dynamicRef")


SINGLE = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")


class Kind(Enum):
    """SURE: the dialect's own schema looks at it with the whole. TARGET: a reference leads there. MAYBE: neither."""

    SURE = auto()
    TARGET = auto()
    MAYBE = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """One schema, or what stands where one should. `lost`: a reference of it that leads nowhere inside, by keyword."""

    path: Path
    schema: Any
    kind: Kind
    lost: tuple[str, str] | None = None


Found = tuple[Path, Any, Any, Kind]
"""A place to look at: its path, what is there, the resolver there, and its kind."""


def resolver_of(schema: dict[str, Any]) -> Any:
    """It knows the schema's anchors; a registry that does not is searched for each anew. It fetches nothing."""
    resource: Resource[Any] = DRAFT202012.create_resource(schema)
    uri = resource.id() or ""
    return Registry().with_resource(uri, resource).crawl().resolver(uri)


def subschemas(schema: Any, path: Path = ()) -> Iterator[Place]:
    """Each, itself among them, which is at `path`. Behind `default` and the like only what a reference leads to.

    What an unknown keyword holds may be one. The path of what a reference leads to begins with that of the reference.

    Raises: TooCostly, within `work_limit.at_most`; any error where it is no JSON Schema.
    """
    todo: list[Found] = [(path, schema, resolver_of(schema), Kind.SURE)]
    targets: list[Found] = []
    seen: set[tuple[int, str, Kind]] = set()
    while todo or targets:
        path, value, resolver, kind = todo.pop() if todo else targets.pop()
        spend(1)
        if isinstance(value, list) and kind is not Kind.TARGET:
            todo += [((*path, at), item, resolver, kind) for at, item in enumerate(value)][::-1]
            continue
        if isinstance(value, Mapping):
            if isinstance(value.get("$id"), str):
                resolver = resolver.in_subresource(DRAFT202012.create_resource(value))
            here = id(value), resolver._base_uri  # noqa: SLF001 - under another base its references lead elsewhere
            if {(*here, Kind.SURE), (*here, kind)} & seen:
                continue
            seen.add((*here, kind))
        if isinstance(value, Mapping) or kind is Kind.TARGET:
            yield Place(path, value, kind)
        if isinstance(value, Mapping):
            for keyword, reference in _references(value):
                there = _inside(resolver, reference)
                if there is None:
                    yield Place(path, value, kind, lost=(keyword, reference))
                else:
                    targets.append(((*path, keyword), there.contents, there.resolver, Kind.TARGET))
            below = Kind.MAYBE if kind is Kind.MAYBE else Kind.SURE
            more = [(at, item, resolver, below if known else Kind.MAYBE) for known, at, item in _below(value, path)]
            todo += more[::-1]


def _references(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(keyword, schema.get(keyword)) for keyword in REFERENCES]
    return [(keyword, reference) for keyword, reference in found if isinstance(reference, str)]


def _inside(resolver: Any, reference: str) -> Any:
    """What it leads to inside the schema, with the resolver there; None where that is nothing."""
    try:
        return resolver.lookup(reference) if reference.startswith("#") else None
    except Unresolvable:
        return None


def _below(schema: Mapping[str, Any], path: Path) -> Iterator[tuple[bool, Path, Any]]:
    """Whether the keyword is known to hold schemas, the place and what is there."""
    for keyword, value in schema.items():
        if keyword in NAMED and isinstance(value, Mapping):
            yield from ((True, (*path, keyword, name), item) for name, item in value.items())
        elif keyword not in PLAIN_VALUES:
            yield keyword in SINGLE or keyword in SEVERAL, (*path, keyword), value
