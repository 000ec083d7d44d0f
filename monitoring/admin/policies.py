from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import PageAdmin
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from monitoring.admin.policy_form import PolicyForm, filled
from monitoring.core.policy import Mode, RecoveryPolicy
from monitoring.models import Job, PolicyVersion
from monitoring.recovery import publishing
from monitoring.recovery.cautions import cautions_of, full_view
from monitoring.recovery.policies import policies
from monitoring.trials import jobs

MODES = {"live": "success", "shadow": "info", "off": "warning"}
TRIES = {"dry": jobs.ask_dry_run, "back": jobs.ask_back_test}
HIDDEN = ("policy_id", "name", "mode", "version", "hash", "current", "shipped", "published_by", "published_at")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(PageAdmin):
    page_template = "monitoring/admin/recovery_policy.html"
    list_display = ["policy_id", "mode_badge", "about", "does", "version", "published_by", "published_at"]
    list_display_links = ["policy_id"]
    list_filter = ["mode", "shipped"]
    search_fields = ["policy_id"]
    search_help_text = "id"

    @display(description="mode", ordering="mode", label=MODES)  # type: ignore[untyped-decorator]
    def mode_badge(self, row: PolicyVersion) -> str:
        return row.mode

    @display(description="name")  # type: ignore[untyped-decorator]
    def about(self, row: PolicyVersion) -> str:
        return clip(row.body.get("name", ""), 80)

    @display(description="does")  # type: ignore[untyped-decorator]
    def does(self, row: PolicyVersion) -> str:
        return ", ".join(row.body.get("recovery_actions", ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyVersion]:
        """The current version of each; the others are on its page."""
        known = [row.pk for row in policies()]
        found: QuerySet[PolicyVersion] = super().get_queryset(request).filter(pk__in=known)
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "recovery.manage")

    def get_urls(self) -> list[Any]:
        mode = path("<int:pk>/mode/", self.admin_site.admin_view(self.mode_view), name="recovery-mode")
        return [mode, *super().get_urls()]

    def page(self, row: PolicyVersion, request: HttpRequest) -> dict[str, Any]:
        view = full_view(row)
        shown = {name: value for name, value in row.body.items() if name not in (*HIDDEN, "conditions")}
        return {
            "policy": row,
            "view": view,
            "conditions": json.dumps(row.body.get("conditions"), indent=2, ensure_ascii=False),
            "fields": [(name, _in_words(value)) for name, value in shown.items()],
            "modes": [one.value for one in Mode if one.value != row.mode],
            "may_manage": self.has_add_permission(request),
        }

    def mode_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Switch a policy off, to shadow or live."""
        row = PolicyVersion.objects.filter(pk=pk, current=True).first()
        if row is None:
            return self.gone(request, str(pk))
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        try:
            row = publishing.set_mode(
                row.policy_id, request.POST.get("mode", ""), actor=actor_of(request.user, door="admin")
            )
        except ZenError as error:
            messages.error(request, error.in_words())
        else:
            messages.success(request, f"{row.policy_id} is {row.mode}.")
        return HttpResponseRedirect(reverse("admin:monitoring_policyversion_change", args=[row.pk]))

    def new_page(self, request: HttpRequest) -> HttpResponse:
        """A draft: its form, what it would do and would have done, and last the button that publishes it."""
        tried = _tried(request)
        form = PolicyForm(request.POST or None, initial=_start(request, tried))
        context = {**self.page_context(request, "Publish a recovery policy"), "form": form}
        if request.method == "POST" and form.is_valid():
            try:
                return self._done(request, form.policy(), tried)
            except ZenError as error:
                context["fault"] = error
        answer = TemplateResponse(request, "monitoring/admin/recovery_edit.html", context | _results(tried))
        if request.method == "GET" and any(job.state == Job.OPEN for job in tried.values()):
            answer["Refresh"] = "1"
        return answer

    def _done(self, request: HttpRequest, policy: RecoveryPolicy, tried: dict[str, Job]) -> HttpResponse:
        actor, kind = actor_of(request.user, door="admin"), request.POST.get("do", "")
        if kind in TRIES:
            kept = {name: job.pk for name, job in tried.items() if job.body["policy"] == policy.body()}
            kept[kind] = TRIES[kind](policy, actor=actor).pk
            where = "&".join(f"{name}={pk}" for name, pk in kept.items())
            return HttpResponseRedirect(f"{request.path}?{where}")
        row, new = publishing.publish(policy, actor=actor)
        messages.success(request, f"{row} is {row.mode}" if new else f"{row} is there already, with the same content")
        for caution in cautions_of(policy):
            messages.warning(request, caution)
        return HttpResponseRedirect(reverse("admin:monitoring_policyversion_change", args=[row.pk]))


def _in_words(value: Any) -> str:
    """A field's value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


def _tried(request: HttpRequest) -> dict[str, Job]:
    """The dry run and the back-test that the address names; this page goes on with them while it is looked at."""
    found = {}
    for kind in TRIES:
        pk = request.GET.get(kind, "")
        job = Job.objects.filter(pk=int(pk), kind=kind).first() if pk.isdecimal() and len(pk) < 18 else None
        if job is not None:
            jobs.go_on(job)
            found[kind] = job
    return found


def _start(request: HttpRequest, tried: dict[str, Job]) -> dict[str, Any]:
    """The draft that was tried, else the policy that is to be changed, in shadow; else an example."""
    for job in tried.values():
        return filled(job.body["policy"])
    pk = request.GET.get("from", "")
    row = PolicyVersion.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
    return filled({**row.body, "mode": Mode.SHADOW.value} if row is not None else {})


def _results(tried: dict[str, Job]) -> dict[str, Any]:
    return {"dry": tried.get("dry"), "back": tried.get("back")}
