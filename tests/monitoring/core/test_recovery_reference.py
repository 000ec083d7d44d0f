"""The reference of recovery policies names every metric, operator, field, action and shipped policy, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from monitoring.core.conditions import METRICS, OPERATORS
from monitoring.core.enums import RecoveryAction
from monitoring.core.errors import ErrorClass
from monitoring.core.policy import RecoveryPolicy
from monitoring.core.replay.history import UNSEEN_CODES, UNSEEN_METRICS
from monitoring.core.shipped import SHIPPED

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "recovery.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> set[str]:
    rows = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return {word for cell in rows for word in re.findall(r"`([^`\n]+)`", cell)}


def test_every_word_is_there_and_no_other() -> None:
    assert first_cells(section("Fields")) == {one.name for one in fields(RecoveryPolicy)}
    assert first_cells(section("Conditions")) == {*METRICS, *OPERATORS}
    assert first_cells(section("Actions")) == {action.value for action in RecoveryAction}
    assert first_cells(section("Shipped policies")) == {one.policy_id for one in SHIPPED}
    assert {kind.value for kind in ErrorClass} <= set(re.findall(r"`([^`\n]+)`", section("Conditions")))
    assert set(re.findall(r"`([^`\n]+)`", section("Try it first"))) >= UNSEEN_CODES | UNSEEN_METRICS
