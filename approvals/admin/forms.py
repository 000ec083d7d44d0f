"""What a person fills in beside a decision. Each form only reads; services decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from approvals.admin.page import accounts
from approvals.models import Policy
from orchestration.admin.forms import TextForm
from orchestration.clock import now

MOMENT = "%Y-%m-%dT%H:%M"


class PolicyForm(TextForm):
    text = forms.CharField(
        label="Policy",
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 22, "class": "font-mono", "spellcheck": "false"}),
        help_text="YAML or JSON: who decides, how many of them, by when.",
    )


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, help_text=help_text, input_formats=[MOMENT], widget=widget)


class DelegationForm(TextForm):
    """`owner` is asked of administrators only; everybody else gives their own votes away."""

    owner: Any = forms.ModelChoiceField(queryset=None, label="Whose votes", widget=UnfoldAdminSelectWidget)
    to: Any = forms.ModelChoiceField(queryset=None, label="Who decides instead", widget=UnfoldAdminSelectWidget)
    starts_at = _moment("From", "UTC")
    ends_at = _moment("Until", "UTC")
    policies = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen means all of them.",
    )
    reason = forms.CharField(required=False, max_length=300, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, user: Any, manages: bool, **kwargs: Any) -> None:
        start = now()
        kwargs["initial"] = {
            "starts_at": start.strftime(MOMENT),
            "ends_at": (start + timedelta(days=7)).strftime(MOMENT),
            "owner": user.pk,
        }
        super().__init__(*args, **kwargs)
        able = get_user_model().objects.filter(pk__in=[one.pk for one in accounts()]).order_by("username")
        self.fields["to"].queryset = able if manages else able.exclude(pk=user.pk)  # type: ignore[attr-defined]
        self.fields["owner"].queryset = able  # type: ignore[attr-defined]
        if not manages:
            del self.fields["owner"]
        names = Policy.objects.filter(published=True).order_by("name").values_list("name", flat=True).distinct()
        self.fields["policies"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
