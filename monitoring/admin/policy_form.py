"""The form of a recovery policy: what most have as fields, conditions and the rest as JSON or YAML."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from foundation.errors import BadInput
from foundation.strict_documents import read_text
from monitoring.core.conditions.vocabulary import KINDS
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy import Mode, RecoveryPolicy, from_body
from orchestration.admin.forms import TextForm

IN_FIELDS = (
    "policy_id", "name", "mode", "workflow_types", "conditions", "recovery_actions", "max_recovery_attempts",
    "notification_channels",
)  # fmt: skip
LISTS = ("workflow_types", "recovery_actions", "notification_channels")
MODES = [
    (Mode.SHADOW.value, "shadow: it writes down what it would do"),
    (Mode.LIVE.value, "live: it acts"),
    (Mode.OFF.value, "off"),
]
START: dict[str, Any] = {
    "policy_id": "", "name": "", "mode": Mode.SHADOW.value, "workflow_types": ["*"],
    "conditions": {"issue": {"==": "step_blocks"}, "error_class": {"in": ["http_5xx", "timeout"]}},
    "recovery_actions": ["retry", "escalate"], "max_recovery_attempts": 3, "notification_channels": [],
}  # fmt: skip


def _text(**more: Any) -> forms.CharField:
    return forms.CharField(widget=UnfoldAdminTextInputWidget, max_length=2000, **more)


def _document(rows: int, **more: Any) -> forms.CharField:
    attrs = {"rows": rows, "class": "font-mono", "spellcheck": "false"}
    return forms.CharField(strip=False, widget=UnfoldAdminTextareaWidget(attrs=attrs), max_length=100_000, **more)


class PolicyForm(TextForm):
    policy_id = _text(label="Id", help_text="letters, digits and _ . -; part of addresses")
    name = _text(label="Name")
    mode = forms.ChoiceField(label="Mode", choices=MODES, widget=UnfoldAdminSelectWidget)
    workflow_types = _text(
        label="Runs", help_text=f"{', '.join(KINDS)}, saga:ID for one saga, or * for all; several by comma"
    )
    conditions = _document(8, label="Conditions", help_text="JSON or YAML: {metric: {operator: value}}")
    recovery_actions = _text(label="Actions", help_text=f"in turn, by comma: {', '.join(RecoveryAction)}")
    max_recovery_attempts = forms.IntegerField(label="Attempts a run", widget=UnfoldAdminIntegerFieldWidget)
    notification_channels = _text(label="Channels", required=False, help_text="such as slack://alerts; by comma")
    more = _document(
        8, label="More", required=False,
        help_text="JSON or YAML: priority, pauses, budgets, approval; what is left out has its default",
    )  # fmt: skip

    def policy(self) -> RecoveryPolicy:
        """What was filled in.

        Raises:
            BadInput: it is no policy.
        """
        given = self.cleaned_data
        body = _document_of(given["more"], "more") if given["more"].strip() else {}
        if not isinstance(body, dict):
            raise BadInput("more is no mapping", field="more", remedy="write {field: value}")
        twice = next((name for name in body if name in IN_FIELDS), None)
        if twice is not None:
            raise BadInput(f"{twice} has a field of its own", field="more", remedy=f"take {twice} out of it")
        for name in IN_FIELDS:
            body[name] = _listed(given[name]) if name in LISTS else given[name]
        body["conditions"] = _document_of(given["conditions"], "conditions")
        return from_body(body)


def _document_of(text: str, field: str) -> object:
    return read_text(
        text, name=field, field=field, most_bytes=100_000, most_levels=20, too_large="make it shorter",
        place=lambda _, path: ".".join(str(part) for part in path),
    )  # fmt: skip


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def filled(body: dict[str, Any]) -> dict[str, Any]:
    """What the fields show of a policy's body."""
    known = {**START, **body}
    shown = {name: ", ".join(known[name]) if name in LISTS else known[name] for name in IN_FIELDS}
    shown["conditions"] = json.dumps(known["conditions"], indent=2, ensure_ascii=False)
    more = {name: value for name, value in body.items() if name not in IN_FIELDS}
    return {**shown, "more": json.dumps(more, indent=2, ensure_ascii=False) if more else ""}
