"""The reference has every metric, with its labels, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from monitoring.queries.families import FAMILIES

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "monitoring.md"


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(zen_\w+)` \| (.*?) \| (.*?) \|$", REFERENCE.read_text(), re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels, _ in rows}
    assert told == {name: family.labels for name, family in FAMILIES.items()}
