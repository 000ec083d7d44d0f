"""The answers to a stage's form, checked and converted to the types of its fields."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from approvals.core.policy.form import FormField, as_text
from foundation.errors import BadInput, ZenError
from orchestration.actions.output import UNSTORABLE

LONGEST = 2_000
LONGEST_NUMBER = 400
"""Characters of a number that is written as text."""
LARGEST = sys.float_info.max
TRUTH = {"yes": True, "true": True, "no": False, "false": False}
INPUT = "answers."
"""What the inputs of a page's form are called, before the field's name; a refusal names them in the same way."""


def answers_to(form: Iterable[FormField], word: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers by field name; text is read as the type that the field has.

    A number becomes int or float, a date YYYY-MM-DD; an optional field that was left empty is left out. `word`: the
    decision.

    Raises:
        BadInput: with one problem for each field that is wrong, missing or not asked for.
    """
    asked = {field.name: field for field in form if word in field.on}
    for name in given:
        if name not in asked:
            known = f"what is: {', '.join(asked)}" if asked else "leave the answers out"
            raise _refused(str(name)[:60], f"'{str(name)[:60]}' is not asked for with {word}", known)
    found, wrong = {}, []
    for name, field in asked.items():
        value = given.get(name)
        try:
            if value is None or (isinstance(value, str) and not value.strip()):
                if field.required:
                    raise _refused(name, f"'{field.title}' has to be answered to {_verb(word)}", wanted(field))
                continue
            found[name] = _value(field, value)
        except BadInput as error:
            wrong.append(error)
    if wrong:
        problems: list[dict[str, object]] = [
            {"field": one.field, "message": one.message, "remedy": one.remedy} for one in wrong
        ]
        raise BadInput(wrong[0].message, field=wrong[0].field, remedy=wrong[0].remedy, problems=problems)
    return found


def beside(fault: ZenError) -> dict[str, str]:
    """{name of the input: what is wrong}, for a page that shows each problem at its input."""
    problems = fault.problems or [{"field": fault.field, "message": fault.message, "remedy": fault.remedy}]
    return {str(one["field"]): f"{one['message']}: {one['remedy']}" for one in problems}


def typed_in(form: Iterable[FormField], word: str, post: Mapping[str, str]) -> dict[str, str]:
    """The text of the inputs that belong to this decision; inputs of other decisions are left out."""
    return {one.name: post[INPUT + one.name] for one in form if word in one.on and INPUT + one.name in post}


def inputs_for(form: Iterable[FormField], typed: Mapping[str, str], words: Iterable[str]) -> list[dict[str, Any]]:
    """The inputs of a page that offers these decisions. `typed`: text that was sent and refused, to be shown again."""
    offered = set(words)
    return [
        {"field": one, "name": INPUT + one.name, "shown": typed.get(INPUT + one.name, "")}
        for one in form
        if offered & set(one.on)
    ]


def _value(field: FormField, value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else value
    match field.type:
        case "number" | "integer":
            return _number(field, text)
        case "boolean":
            found: Any = TRUTH.get(text.lower()) if isinstance(text, str) else text
            fits = isinstance(found, bool)
        case "choice":
            found, fits = text, text in field.choices
        case "date":
            found, fits = text, isinstance(text, str) and _is_date(text)
        case _:
            found, fits = text, isinstance(text, str) and len(text) <= LONGEST and not UNSTORABLE.search(text)
    if not fits:
        raise _wrong(field, value)
    return found


def _number(field: FormField, value: Any) -> int | float:
    try:
        found = _read(field, value) if isinstance(value, str) else value
    except (ValueError, ArithmeticError):
        raise _wrong(field, value) from None
    kinds = int if field.type == "integer" else (int, float)
    if isinstance(found, bool) or not isinstance(found, kinds) or not -LARGEST <= found <= LARGEST:
        raise _wrong(field, value)
    low = field.minimum is not None and found < field.minimum
    if low or (field.maximum is not None and found > field.maximum):
        raise _wrong(field, value)
    return found


def _read(field: FormField, text: str) -> int | float:
    """The number of a text. Raises ValueError or ArithmeticError where it is none, BadInput where it would change."""
    if len(text) > LONGEST_NUMBER:
        raise ValueError
    if field.type == "integer":
        return int(text)
    found, exact = float(text), Decimal(text)
    if not exact.is_finite() or Decimal(repr(found)) == exact:
        return found
    if found in (math.inf, -math.inf) or exact != exact.to_integral_value():
        message = f"'{field.title}': {text[:60]} cannot be kept exactly"
        raise _refused(field.name, message, "at most 15 digits where it has a fraction")
    return int(exact)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _wrong(field: FormField, value: Any) -> BadInput:
    return _refused(field.name, f"'{field.title}': {str(value)[:60]!r} does not fit", wanted(field))


def _refused(name: str, message: str, remedy: str) -> BadInput:
    return BadInput(message, field=INPUT + name, remedy=remedy)


def wanted(field: FormField) -> str:
    """What the field takes, in words."""
    match field.type:
        case "choice":
            return f"one of: {', '.join(field.choices)}"
        case "boolean":
            return "yes or no"
        case "date":
            return "a date, such as 2026-11-25"
        case "number" | "integer":
            low = f" from {as_text(field.minimum)}" if field.minimum is not None else ""
            high = f" up to {as_text(field.maximum)}" if field.maximum is not None else ""
            return f"a {'whole ' if field.type == 'integer' else ''}number{low}{high}"
        case _:
            return f"a text of at most {LONGEST} characters"


def _verb(word: str) -> str:
    return word.replace("-", " ")
