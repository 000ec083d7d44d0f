"""KEY=VALUE at the console: what is JSON, and what stays as it was typed."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.console.pairs import pairs
from foundation.errors import BadInput


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3", 3), ("-3", -3), ("1.5", 1.5), ("1.0", 1.0), ("true", True), ("null", None), ('"x"', "x"),
        ('{"a":1}', {"a": 1}), ('{"a": [1,2]}', {"a": [1, 2]}), ('"1.10"', "1.10"),
    ],
)  # fmt: skip
def test_json_is_json(typed: str, value: Any) -> None:
    found = pairs([f"k={typed}"], "context")["k"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "typed",
    ["1.10", "1e5", "007", "3e2f", "1E2", "-0", "1e400", "NaN", "Infinity", " 3", "A-1", "", "9" * 5000, "1.50"],
)
def test_what_a_number_would_change_stays_text(typed: str) -> None:
    assert pairs([f"version={typed}"], "context") == {"version": typed}


def test_what_is_no_pair_names_its_option() -> None:
    with pytest.raises(BadInput, match="--edit 'size' is not KEY=VALUE") as refused:
        pairs(["size"], "edit")
    assert refused.value.field == "edit" and "--edit count=3" in refused.value.remedy
