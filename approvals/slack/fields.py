"""The fields of a form as Slack shows them, and what it says of them."""

from __future__ import annotations

from typing import Any

from approvals.answers import LONGEST, wanted
from approvals.core.form import LONGEST_CHOICE, FormField
from notifications.text import one_line

FIELD = "value"
LONGEST_LABEL = 2000
TRUTH = ("yes", "no")


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def input_of(field: FormField, block: str) -> dict[str, Any]:
    """The block with the input."""
    return {
        "type": "input",
        "block_id": block,
        "optional": not field.required,
        "label": plain(one_line(field.title, LONGEST_LABEL)),
        "hint": plain(one_line(wanted(field), LONGEST_LABEL)),
        "element": {"action_id": FIELD, **_element(field)},
    }


def _element(field: FormField) -> dict[str, Any]:
    match field.type:
        case "number" | "integer":
            bounds = {"min_value": field.minimum, "max_value": field.maximum}
            said = {name: f"{bound:.15g}" for name, bound in bounds.items() if bound is not None}
            return {"type": "number_input", "is_decimal_allowed": field.type == "number", **said}
        case "boolean":
            return {"type": "radio_buttons", "options": [_option(word) for word in TRUTH]}
        case "choice":
            return {"type": "static_select", "options": [_option(choice) for choice in field.choices]}
        case "date":
            return {"type": "datepicker"}
        case _:
            return {"type": "plain_text_input", "max_length": LONGEST}


def _option(choice: str) -> dict[str, Any]:
    return {"text": plain(one_line(choice, LONGEST_CHOICE)), "value": choice}


def value_in(state: dict[str, Any]) -> str | None:
    """What an input holds, as text; None for nothing."""
    chosen = state.get("selected_option") or {}
    found = state.get("value") or state.get("selected_date") or chosen.get("value")
    return str(found).replace("\0", "") if found else None
