from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import PageAdmin
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from monitoring.admin.forms import RuleForm
from monitoring.alerting.rule_changes import change_rule
from monitoring.alerting.rules import all_rules
from monitoring.models import Alert, AlertRule
from monitoring.queries.alerts import rule_view

LABELS = {"critical": "danger", "warning": "warning", "on": "success", "off": "info"}


@admin.register(AlertRule)
class AlertRuleAdmin(PageAdmin):
    page_template = "monitoring/admin/alert_rule.html"
    list_display = ["name", "state_badge", "severity_badge", "source", "whom"]
    list_filter = ["enabled", "source", "severity"]
    search_fields = ["name"]
    search_help_text = "name"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        all_rules()  # those that came with this release, from its first look on
        found: QuerySet[AlertRule] = super().get_queryset(request)
        return found

    @display(description="state", ordering="enabled", label=LABELS)  # type: ignore[untyped-decorator]
    def state_badge(self, row: AlertRule) -> str:
        return "on" if row.enabled else "off"

    @display(description="severity", ordering="severity", label=LABELS)  # type: ignore[untyped-decorator]
    def severity_badge(self, row: AlertRule) -> str:
        return row.severity

    @display(description="tells")  # type: ignore[untyped-decorator]
    def whom(self, row: AlertRule) -> str:
        return ", ".join(row.channels) or "the operators"

    def page(self, rule: AlertRule, request: HttpRequest, form: RuleForm | None = None) -> dict[str, Any]:
        return {
            "rule": rule,
            "view": rule_view(rule),
            "firing": Alert.objects.filter(rule=rule, state=Alert.FIRING).order_by("-pk")[:20],
            "form": (form or RuleForm(initial=_filled(rule))) if self._may_change(request) else None,
        }

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The rule's page; a POST changes the rule."""
        rule = self.get_object(request, str(object_id)) if request.method == "POST" and object_id else None
        if rule is None or not self._may_change(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        form = RuleForm(request.POST)
        if form.is_valid():
            try:
                change_rule(rule.name, form.changes(), actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                form.add_error(None, error.in_words())
            else:
                messages.success(request, f"The rule {rule.name} is as you said.")
                return HttpResponseRedirect(request.path)
        context = {**self.page_context(request, str(rule)), **self.page(rule, request, form)}
        return TemplateResponse(request, self.page_template, context)

    def _may_change(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "alert.manage")


def _filled(rule: AlertRule) -> dict[str, Any]:
    return {
        "enabled": rule.enabled, "channels": "\n".join(rule.channels), "for_s": rule.for_s,
        "resolve_after_s": rule.resolve_after_s, "repeat_s": rule.repeat_s,
    }  # fmt: skip
