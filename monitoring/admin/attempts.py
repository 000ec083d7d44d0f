from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import ReadOnlyAdmin
from foundation.templatetags.zen import clip
from monitoring.models import RecoveryAttempt
from monitoring.queries import recovery

LABELS = {
    "worked": "success", "failed": "danger", "no effect": "danger", "refused": "warning", "rejected": "warning",
    "decided": "info", "acting": "info", "watching": "info", "awaiting approval": "info",
}  # fmt: skip


@admin.register(RecoveryAttempt)
class RecoveryAttemptAdmin(ReadOnlyAdmin):
    list_display = ["what", "run_id_shown", "who", "state_badge", "decided_at", "told"]
    list_filter = ["state", "action", "policy_id"]
    search_fields = ["run__workflow_id", "target", "reason"]
    search_help_text = "a run's handle, a target, or words of the reason"
    list_select_related = ["run"]
    fields = readonly_fields = [
        "what", "run_id_shown", "who", "state_badge", "reason", "told", "target", "facts", "acts", "approval",
        "decided_at", "acted_at", "ended_at", "verify_until", "new_workflow_id",
    ]  # fmt: skip

    @display(description="what")  # type: ignore[untyped-decorator]
    def what(self, row: RecoveryAttempt) -> str:
        budget = f" {row.number} of {row.of}" if row.policy_id and row.number else ""
        return clip(f"{row.action} {row.step_id}{budget}", 100)

    @display(description="run")  # type: ignore[untyped-decorator]
    def run_id_shown(self, row: RecoveryAttempt) -> str:
        where = reverse("admin:orchestration_run_change", args=[row.run_id])
        return format_html('<a href="{}">{}</a>', where, clip(row.run.workflow_id, 100))

    @display(description="by")  # type: ignore[untyped-decorator]
    def who(self, row: RecoveryAttempt) -> str:
        return clip(row.policy_id or row.actor, 100)

    @display(description="state", ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def state_badge(self, row: RecoveryAttempt) -> str:
        return row.state.replace("_", " ")

    @display(description="what came of it, or what it waits for")  # type: ignore[untyped-decorator]
    def told(self, row: RecoveryAttempt) -> str:
        return clip(recovery.waits(row) or row.verdict, 200)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        stopped = recovery.stopped()
        if stopped is not None:
            messages.warning(request, recovery.in_words(stopped))
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer
