from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display  # type: ignore[import-untyped]
from unfold.widgets import UnfoldAdminTextareaWidget  # type: ignore[import-untyped]

from approvals.core.approval.plan import in_order
from approvals.core.enums import OPEN
from approvals.core.policy.chain import names_in
from approvals.core.policy.definition import PolicyDefinition, Stage
from approvals.models import Policy
from approvals.policies import principals
from approvals.policies.checks import policy_warnings
from approvals.policies.documents import load_text
from approvals.policies.publish import STANDARD_BODY, check_policy
from approvals.requests import publish_policy
from foundation.admin.base import PageAdmin
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from orchestration.admin.forms import TextForm

MOST_VERSIONS = 20
MOST_NAMES = 30


class PolicyForm(TextForm):
    text = forms.CharField(
        label="Policy",
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 22, "class": "font-mono", "spellcheck": "false"}),
        help_text="YAML or JSON: who decides, how many of them, by when.",
    )


class Kind(admin.SimpleListFilter):
    """What single requests brought along is there to be looked up, and in nobody's way."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("private", "of single requests"), ("all", "all")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "published"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Policy]) -> QuerySet[Policy]:
        return queryset if self.value() == "all" else queryset.filter(published=self.value() != "private")


@admin.register(Policy)
class PolicyAdmin(PageAdmin):
    page_template = "approvals/admin/policy.html"
    list_display = ["name", "version", "about", "published", "published_by", "published_at"]
    list_display_links = ["name", "version"]
    list_filter = [Kind]
    search_fields = ["name", "hash"]
    search_help_text = "name or hash"

    @display(description="about")  # type: ignore[untyped-decorator]
    def about(self, policy: Policy) -> str:
        return clip(policy.body.get("description", ""), 80)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "policy.publish")

    def page(self, policy: Policy, request: HttpRequest) -> dict[str, Any]:
        return {
            "policy": policy,
            "text": as_yaml(policy.body),
            "versions": Policy.objects.filter(name=policy.name).order_by("-version")[:MOST_VERSIONS],
            "reach": reach(PolicyDefinition.model_validate(policy.body)),
            "open": policy.requests.filter(status__in=OPEN).count(),
            "may_publish": self.has_add_permission(request),
        }

    def new_page(self, request: HttpRequest) -> HttpResponse:
        """Check shows whom it reaches, and stores nothing."""
        form = PolicyForm(request.POST if request.method == "POST" else None, initial={"text": _start(request)})
        context = {**self.page_context(request, "Publish a policy"), "form": form}
        if form.is_valid():
            try:
                data = load_text(form.cleaned_data["text"], name="policy")
                if "publish" in request.POST:
                    return self._published(request, data)
                checked = check_policy(data)
                context |= {"checked": checked, "reach": reach(checked), "doubts": policy_warnings(checked)}
            except BadInput as error:
                context["fault"] = error
        return TemplateResponse(request, "approvals/admin/publish.html", context)

    def _published(self, request: HttpRequest, data: object) -> HttpResponse:
        stored, new = publish_policy(data=data, actor=actor_of(request.user, door="admin"))
        messages.success(request, f"{stored} {'is published' if new else 'is there already, with the same content'}")
        return HttpResponseRedirect(reverse("admin:approvals_policy_change", args=[stored.pk]))


def reach(policy: PolicyDefinition) -> dict[str, Any]:
    """Who it comes to now: for each stage and each of its levels the names, and who is left out, and why."""
    try:
        found = principals.resolve(policy)
    except BadInput as error:
        return {"fault": f"{error.message}; {error.remedy}"}
    return {"stages": [_stage(stage, found) for stage in policy.stages], "left_out": found.left_out}


def _stage(stage: Stage, found: principals.ResolvedPrincipals) -> dict[str, Any]:
    levels = [
        {"after": level.after, "authority": level.authority.value, "names": _names(names_in(level.to), found)}
        for level in stage.escalate
    ]
    return {"stage": stage, "names": _names(names_in(stage.who), found), "levels": levels}


def _names(keys: list[str], found: principals.ResolvedPrincipals) -> str:
    ids = in_order(frozenset().union(*(found.named[key] for key in keys)))
    names = [found.people[one].name for one in ids]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def as_yaml(body: dict[str, Any]) -> str:
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100)


def _start(request: HttpRequest) -> str:
    """The version that is to be changed, else an example that is whole."""
    pk = request.GET.get("from", "")
    policy = Policy.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    return as_yaml(policy.body if policy else {**STANDARD_BODY, "policy": "deployment"})
