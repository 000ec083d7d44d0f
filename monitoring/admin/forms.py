from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextareaWidget,
)

from monitoring.alerting.acts import LONGEST_NOTE


class NoteForm(forms.Form):
    note = forms.CharField(
        required=False, max_length=LONGEST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="kept in the audit",
    )  # fmt: skip


class ResolveForm(NoteForm):
    note = forms.CharField(
        max_length=LONGEST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="what was done about it; kept in the audit",
    )  # fmt: skip


class RuleForm(forms.Form):
    enabled = forms.BooleanField(required=False, label="In force")
    channels = forms.CharField(
        required=False, max_length=4100, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="one a line, such as slack://deployments; none: the operators, by their own contacts",
    )  # fmt: skip
    for_s = forms.FloatField(
        label="Seconds that it has to be there", widget=UnfoldAdminDecimalFieldWidget, min_value=0
    )  # fmt: skip
    resolve_after_s = forms.FloatField(label="Seconds that it has to be gone", widget=UnfoldAdminDecimalFieldWidget)
    repeat_s = forms.FloatField(
        label="Seconds until it is told again", widget=UnfoldAdminDecimalFieldWidget,
        help_text="while it is critical and nobody has acknowledged it",
    )  # fmt: skip

    def changes(self) -> dict[str, Any]:
        """For `change_rule`."""
        given = dict(self.cleaned_data)
        return given | {"channels": given["channels"].split()}


class SilenceForm(forms.Form):
    reason = forms.CharField(max_length=LONGEST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    hours = forms.DecimalField(
        min_value=0.01,
        max_value=720,
        initial=1,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="30 days at most",
    )
    while_firing = forms.BooleanField(required=False, help_text="no longer than it fires")
