from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import action, display  # type: ignore[import-untyped]

from foundation.admin.base import PageAdmin
from foundation.clock import database_now
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from monitoring.admin.alert_runs import RunsView, group_verbs, latest_jobs
from monitoring.admin.forms import NoteForm, ResolveForm, SilenceForm
from monitoring.alerting import acts, silences
from monitoring.alerting.grouping import STAYS
from monitoring.core.alerting import RUN
from monitoring.models import Alert, AlertMember
from monitoring.queries.alerts import members_of, notes_of

LABELS = {"critical": "danger", "warning": "warning", "unknown": "info", "firing": "danger", "resolved": "success"}
FORMS: dict[str, type[forms.Form]] = {
    "ack": NoteForm, "unack": NoteForm, "resolve": ResolveForm, "silence": SilenceForm,
}  # fmt: skip
TITLES = {"ack": "Acknowledge", "unack": "Take the acknowledgement back", "resolve": "Resolve", "silence": "Silence"}


@admin.register(Alert)
class AlertAdmin(RunsView, PageAdmin):
    page_template = "monitoring/admin/alert.html"
    list_display = ["headline", "severity_badge", "state_badge", "members", "opened_at", "who"]
    list_filter = ["state", "severity", "rule"]
    search_fields = ["title", "sentence"]
    search_help_text = "words of the alert"
    list_select_related = ["rule", "silence"]
    actions = ["acknowledge"]

    @display(description="alert", ordering="title")  # type: ignore[untyped-decorator]
    def headline(self, alert: Alert) -> str:
        return clip(alert.title, 140)

    @display(description="severity", ordering="severity", label=LABELS)  # type: ignore[untyped-decorator]
    def severity_badge(self, alert: Alert) -> str:
        return alert.severity

    @display(description="state", ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def state_badge(self, alert: Alert) -> str:
        return alert.state

    @display(description="who is on it", empty_value="")  # type: ignore[untyped-decorator]
    def who(self, alert: Alert) -> str:
        return alert.acked_by or ("silenced" if alert.silence_id else "")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "alert.act")

    @action(description="Acknowledge", permissions=["act"])  # type: ignore[untyped-decorator]
    def acknowledge(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        for row in rows.order_by("pk"):
            try:
                acts.acknowledge(row.pk, actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                messages.error(request, error.in_words())
            else:
                messages.success(request, f"You are on alert {row.pk}.")

    def get_urls(self) -> list[Any]:
        act_on = path("<int:pk>/act/<str:verb>/", self.admin_site.admin_view(self.act_view), name="alert-act")
        on_runs = path("<int:pk>/runs/<str:verb>/", self.admin_site.admin_view(self.runs_view), name="alert-runs")
        return [act_on, on_runs, *super().get_urls()]

    def page(self, alert: Alert, request: HttpRequest) -> dict[str, Any]:
        may = self.has_act_permission(request)
        return {
            "alert": alert,
            "verbs": [(verb, TITLES[verb]) for verb in _legal(alert)] if may else [],
            "may_act": may,
            "group_verbs": group_verbs(alert, actor_of(request.user, door="admin")),
            "jobs": latest_jobs(alert),
            "runs": members_of(alert),
            "notes": notes_of(alert),
        }

    def act_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Ask for what the act needs, then do it."""
        alert = Alert.objects.filter(pk=pk).select_related("rule", "silence").first()
        if alert is None:
            return self.gone(request, str(pk))
        if not self.has_act_permission(request) or verb not in FORMS:
            raise PermissionDenied
        back = reverse("admin:monitoring_alert_change", args=[pk])
        form = FORMS[verb](request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                _act(alert, verb, form.cleaned_data, request)
            except ZenError as error:
                form.add_error(None, error.in_words())
            else:
                messages.success(request, f"{TITLES[verb]}: done.")
                return HttpResponseRedirect(back)
        title = f"{TITLES[verb]}: {alert.title}"
        context = {
            **self.page_context(request, title),
            "alert": alert,
            "form": form,
            "verb": TITLES[verb],
            "back": back,
        }
        return TemplateResponse(request, "monitoring/admin/alert_act.html", context)


def _legal(alert: Alert) -> list[str]:
    """What is not legal now is not offered."""
    if alert.state != Alert.FIRING:
        return []
    mends_itself = (
        alert.rule.source != RUN
        or AlertMember.objects.filter(alert=alert, left_at=None).exclude(code__in=STAYS).exists()
    )
    found = ["unack" if alert.acked_at else "ack"]
    return found + ([] if mends_itself else ["resolve"]) + ([] if alert.silence_id else ["silence"])


def _act(alert: Alert, verb: str, given: dict[str, Any], request: HttpRequest) -> None:
    actor = actor_of(request.user, door="admin")
    match verb:
        case "ack":
            acts.acknowledge(alert.pk, actor=actor, note=given["note"])
        case "unack":
            acts.unacknowledge(alert.pk, actor=actor, note=given["note"])
        case "resolve":
            acts.resolve(alert.pk, actor=actor, note=given["note"])
        case _:
            matchers = {label: alert.labels[label] for label in ("rule", "target") if alert.labels.get(label)}
            ends_at = database_now() + timedelta(hours=float(given["hours"]))
            silences.silence(
                matchers=matchers, reason=given["reason"], ends_at=ends_at, actor=actor,
                while_firing=given["while_firing"],
            )  # fmt: skip
