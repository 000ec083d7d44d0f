"""Where a template's names are looked up (rule 3), and how a look-up fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from orchestration.core.templates.names import name_of, parts_of

MOST_NAMES = 30
RESPONSE = "response"
"""What follows a step's id in the name of its answer's status or header."""
MOST_BYTES = 10 * 1024 * 1024


class TemplateError(Exception):
    """A template cannot be filled in: the step fails cleanly."""


class BadValue(TemplateError):
    """A value is there and cannot stand where the template puts it."""


class MissingName(TemplateError):
    """Nothing has this name. `available`: names that could have been used, at most 30."""

    def __init__(self, name: str, available: Sequence[str]) -> None:
        self.name, self.available = name, tuple(available)
        super().__init__(f"{{{name}}} has no value; available: {', '.join(self.available) or 'nothing'}")


class OwnMissing(MissingName):
    """A compensation names its step's own output, which is not known or has no such name. Nothing stands in for it."""

    def __init__(self, name: str, scope: Scope) -> None:
        super().__init__(name, available_in(scope))
        has = ", ".join(list(scope.own)[:MOST_NAMES]) if isinstance(scope.own, Mapping) else ""
        bare = name.removeprefix(f"{scope.step_id}.")
        if scope.own is None:
            self.args = (f"the {bare} from '{scope.step_id}' is unknown",)
        else:
            self.args = (f"the output of '{scope.step_id}' has no {bare}; it has {has or 'nothing'}",)


class AmbiguousName(TemplateError):
    """Steps at the same distance offer the name. `steps`: their ids."""

    def __init__(self, name: str, steps: Sequence[str]) -> None:
        self.name, self.steps = name, tuple(steps)
        choices = " or ".join(f"{{{step}.{name}}}" for step in self.steps)
        super().__init__(f"{{{name}}} is ambiguous: write {choices}")


class MissingOutput(TemplateError):
    """The name is not found, and a non-critical failure left outputs missing: the step is skipped (rule 6)."""

    def __init__(self, step_ids: Iterable[str], name: str = "") -> None:
        self.step_ids, self.name = tuple(sorted(step_ids)), name
        needs = f"{{{name}}} needs" if name else "needs"
        super().__init__(f"{needs} the output of {', '.join(self.step_ids)}, which is missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a template can see, nearest first.

    `own`: the output of the step itself, for its compensation (None: none, or unknown). `step_id`: the step itself,
    so that {its_id.name} means `own`. `upstream`: one mapping per distance, step id → output. `missing`: earlier
    steps whose output a non-critical failure left missing. `shared`: set for what is about the step's own effect (its
    compensation, its probe), the names that its forward action uses as well; no other plain name goes upstream.
    `responses`: step id → {"status": …, "headers": …} of its answer, for {its_id.response.status}; an output that has
    the key `response` itself comes first.
    `most`: bytes of values that one action may be filled with. `fills_keys`: the keys of mappings are templates too.
    """

    own: JsonValue = None
    step_id: str = ""
    responses: Mapping[str, JsonValue] = field(default_factory=dict)
    upstream: tuple[Mapping[str, JsonValue], ...] = ()
    context: Mapping[str, JsonValue] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    shared: frozenset[str] | None = None
    most: int = MOST_BYTES
    fills_keys: bool = True


def look_up(name: str, scope: Scope) -> JsonValue:
    """The value of a dotted name. Raises MissingName (OwnMissing is one), AmbiguousName or MissingOutput.

    The first part decides where the rest is looked for: a step that is named, else the nearest output that has it,
    else the context; a name alone that none of them has is the whole output of the step that it names.
    """
    head, *rest = parts_of(name)
    if rest:
        named = _named_step(head, scope)
        if rest[0] == RESPONSE and head in scope.responses and not _has_response(named):
            return _walk(name, [part.lower() for part in rest[1:]], scope.responses[head], (head, RESPONSE))
        if named:
            return _walk(name, rest, named[0], (head,))
        if head in scope.missing:
            raise MissingOutput([head], name)
        if head == scope.step_id:
            raise OwnMissing(name, scope)
    own_alone = scope.shared is not None and name not in scope.shared
    for level in ({scope.step_id: scope.own}, *(() if own_alone else scope.upstream)):
        offers = [step for step, output in level.items() if isinstance(output, Mapping) and head in output]
        if len(offers) > 1:
            raise AmbiguousName(name, sorted(offers))
        if offers:
            return _walk(name, [head, *rest], level[offers[0]], ())
    if head in scope.context:
        return _walk(name, [head, *rest], scope.context, ())
    # An id in an undo is that step's whole output, but nothing stands in for an own output that is not known.
    named = () if rest or (own_alone and scope.own is None) else _named_step(head, scope)
    if named:
        return named[0]
    if own_alone:
        raise OwnMissing(name, scope)
    if scope.missing:
        raise MissingOutput(scope.missing, name)
    raise MissingName(name, available_in(scope))


def available_in(scope: Scope) -> list[str]:
    """Names that can be looked up, nearest first, at most 30."""
    names = [name_of((key,)) for key in scope.own] if isinstance(scope.own, Mapping) else []
    for level in scope.upstream:
        for step, output in level.items():
            names += [name_of((step, key)) for key in output] if isinstance(output, Mapping) else []
    names += [name_of((key,)) for key in scope.context]
    return names[:MOST_NAMES]


def short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _has_response(named: tuple[JsonValue, ...]) -> bool:
    return bool(named) and isinstance(named[0], Mapping) and RESPONSE in named[0]


def _named_step(step_id: str, scope: Scope) -> tuple[JsonValue, ...]:
    """The output of the step with this id, as a tuple of one; () if it is none that this step can see."""
    if step_id == scope.step_id:
        return () if scope.own is None else (scope.own,)
    return next(((level[step_id],) for level in scope.upstream if step_id in level), ())


def _walk(name: str, parts: Sequence[str], value: object, above: tuple[str, ...]) -> JsonValue:
    for index, part in enumerate(parts):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(value):
            value = value[int(part[:9])]
        else:
            raise MissingName(name, _beside(value, (*above, *parts[:index])))
    return value  # type: ignore[return-value]


def _beside(value: object, above: tuple[str, ...]) -> list[str]:
    if isinstance(value, Mapping):
        return [name_of((*above, key)) for key in list(value)[:MOST_NAMES]]
    return [f"{name_of((*above, '0'))} to {len(value) - 1}"] if isinstance(value, list) and value else []
