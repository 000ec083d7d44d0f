"""The arguments of tools: models that refuse what they do not know, in the words of REST."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from foundation.api.body import storable
from foundation.errors import BadInput

MOST_PROBLEMS = 20
LONGEST_VALUE = 80

WORDS = {
    "missing": "This field is required.",
    "string_type": "Not a string.",
    "dict_type": "Not an object.",
    "float_type": "Not a number.",
    "int_type": "A valid integer is required.",
    "bool_type": "Must be a valid boolean.",
    "list_type": "Expected a list of items.",
    "literal_error": '"{value}" is not a valid choice.',
    "enum": '"{value}" is not a valid choice.',
    "string_too_long": "Ensure this field has no more than {max_length} characters.",
    "string_too_short": "This field may not be blank.",
    "too_long": "Ensure this field has no more than {max_length} elements.",
    "less_than_equal": "Ensure this value is less than or equal to {le}.",
    "greater_than_equal": "Ensure this value is greater than or equal to {ge}.",
    "string_pattern_mismatch": "letters, digits, . _ : ~ -, begins with one of the first",
}
"""What REST says, by what pydantic calls it."""


class Arguments(BaseModel):
    """The base of all. A number is no text and a text is no number; a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """The arguments of a call.

        Raises:
            BadInput: with a problem for each that is wrong, or is not known.
        """
        storable(given)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _refusal(error, list(cls.model_fields)) from None


Given = TypeVar("Given", bound=Arguments)


def _refusal(error: ValidationError, known: list[str]) -> BadInput:
    found = [_problem(one, known) for one in error.errors(include_url=False)[:MOST_PROBLEMS]]
    first, problems = found[0], [dict[str, object](one) for one in found]
    return BadInput(
        f"{first['field']}: {first['problem']}".removeprefix(": "), field=first["field"], value=first["value"],
        remedy=first["remedy"], problems=problems,
    )  # fmt: skip


def _problem(found: ErrorDetails, known: list[str]) -> dict[str, str]:
    field = ".".join(str(part) for part in found["loc"])
    value = found["input"] if isinstance(found["input"], str | int | float) else ""
    shown = str(value)[:LONGEST_VALUE]
    if found["type"] == "extra_forbidden":
        keys = ", ".join(known)
        told = f"is not a known key; the keys here are: {keys}" if keys else "is not a known key; there are none here"
        return {"field": field[:LONGEST_VALUE], "problem": told, "remedy": "", "value": shown}
    context = found.get("ctx", {})
    words = WORDS.get(found["type"], found["msg"]).format(**(context | {"value": shown}))
    choices = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return {
        "field": field, "problem": words, "remedy": f"one of: {choices}" if choices else "", "value": shown,
    }  # fmt: skip
