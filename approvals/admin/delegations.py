from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import display  # type: ignore[import-untyped]
from unfold.widgets import (  # type: ignore[import-untyped]
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from approvals.admin.page import accounts
from approvals.models import Delegation, Policy
from approvals.requests import delegate_while_away, end_delegation
from foundation.admin.base import PageAdmin
from foundation.clock import now
from foundation.errors import BadInput, ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from orchestration.admin.forms import TextForm

MOMENT = "%Y-%m-%dT%H:%M"
LABELS = {"now": "success", "to come": "info", "over": "warning"}


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


@admin.register(Delegation)
class DelegationAdmin(PageAdmin):
    page_template = "approvals/admin/delegation.html"
    list_display = ["owner", "to", "state", "starts_at", "ends_at", "only_for", "short_reason"]
    list_display_links = ["owner", "to"]
    list_select_related = ["owner", "to"]
    search_fields = ["owner__username", "to__username"]
    search_help_text = "account"

    @display(description="is", label=LABELS)  # type: ignore[untyped-decorator]
    def state(self, rule: Delegation) -> str:
        return state_of(rule)

    @display(description="only for", empty_value="everything")  # type: ignore[untyped-decorator]
    def only_for(self, rule: Delegation) -> str:
        return clip(", ".join(rule.policies), 80)

    @display(description="reason")  # type: ignore[untyped-decorator]
    def short_reason(self, rule: Delegation) -> str:
        return clip(rule.reason, 80)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "approval.decide")

    def get_urls(self) -> list[Any]:
        end = path("<int:pk>/end/", self.admin_site.admin_view(self.end_view), name="delegation-end")
        return [end, *super().get_urls()]

    def page(self, rule: Delegation, request: HttpRequest) -> dict[str, Any]:
        return {
            "rule": rule,
            "state": state_of(rule),
            "may_end": state_of(rule) != "over" and _may_end(request, rule),
            "votes": rule.votes.select_related("request").defer("request__content", "request__earlier")[:50],
        }

    def new_page(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request.user, door="admin")
        manages = permissions.may(actor, "approval.manage")
        form = DelegationForm(
            request.POST if request.method == "POST" else None, user=request.user, manages=manages
        )  # fmt: skip
        if form.is_valid():
            given = dict(form.cleaned_data)
            try:
                rule = delegate_while_away(actor=actor, **{"owner": request.user, **given})
            except BadInput as error:
                form.add_error(error.field if error.field in form.fields else None, error.in_words())
            else:
                messages.success(
                    request, f"{rule.to} decides for {rule.owner} until {rule.ends_at:%Y-%m-%d %H:%M} UTC."
                )
                return HttpResponseRedirect(_page(rule))
        context = {**self.page_context(request, "Delegate decisions while away"), "form": form}
        return TemplateResponse(request, "approvals/admin/delegate.html", context)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = self.get_object(request, str(pk))
        if not self.has_view_permission(request):
            raise PermissionDenied
        if rule is None:
            return self.gone(request, str(pk))
        if request.method == "POST":
            try:
                end_delegation(actor=actor_of(request.user, door="admin"), delegation_id=pk)
                messages.success(request, "The delegation has ended.")
            except ZenError as error:
                messages.error(request, error.in_words())
        return HttpResponseRedirect(_page(rule))


def state_of(rule: Delegation) -> str:
    moment = now()
    if rule.ended_at is not None or rule.ends_at <= moment:
        return "over"
    return "now" if rule.starts_at <= moment else "to come"


def _may_end(request: HttpRequest, rule: Delegation) -> bool:
    return rule.owner_id == request.user.pk or permissions.may(actor_of(request.user, door="admin"), "approval.manage")


def _page(rule: Delegation) -> str:
    return reverse("admin:approvals_delegation_change", args=[rule.pk])
