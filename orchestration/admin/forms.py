"""What a person fills in. Each form only reads; services decide."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
)

from foundation.errors import BadInput
from orchestration.core.enums import Answer
from orchestration.runs.documents import load_text

ANSWERS = {
    Answer.RETRY: "retry: the cause is fixed; run the compensation again",
    Answer.DONE_BY_HAND: "done-by-hand: it was undone by hand; it counts as undone, with a warning",
    Answer.ALTERNATIVE: "alternative: something else undoes it; it counts as undone, with a warning",
    Answer.ACCEPT_LOSS: "accept-loss: it stays as it is; the run will end in rollback_incomplete",
}


class TextForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class ActForm(TextForm):
    note = forms.CharField(
        required=False,
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Why; it is kept in the audit.",
    )


class ResolveForm(ActForm):
    answer = forms.ChoiceField(
        choices=[(answer.value, text) for answer, text in ANSWERS.items()], widget=UnfoldAdminRadioSelectWidget
    )
    action = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "class": "font-mono", "spellcheck": "false"}),
        help_text="With the answer alternative: the action to run instead, as YAML or JSON, such as "
        "{type: api_call, method: POST, url: 'https://…'}. Leave empty if you already ran it yourself.",
    )
    note = forms.CharField(
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What was found and done; it is kept in the audit.",
    )
    field_order = ["answer", "action", "note"]

    def clean_action(self) -> dict[str, Any] | None:
        text = self.cleaned_data["action"].strip()
        if not text:
            return None
        try:
            value = load_text(text, name="the action")
        except BadInput as error:
            raise forms.ValidationError(error.in_words()) from None
        if not isinstance(value, dict):
            raise forms.ValidationError("an action is a mapping with a `type`")
        return value


class PublishForm(TextForm):
    text = forms.CharField(
        label="Definition",
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "class": "font-mono", "spellcheck": "false"}),
        help_text="YAML or JSON, at most 1 MiB.",
    )
