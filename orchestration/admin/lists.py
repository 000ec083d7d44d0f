from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display  # type: ignore[import-untyped]

from orchestration.admin.base import ReadOnlyAdmin
from orchestration.models import ApiToken, AuditEvent
from orchestration.templatetags.zen import clip


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "door", "action", "workflow_id", "short_note"]
    list_filter = ["door", "action"]
    search_fields = ["actor", "workflow_id", "note"]
    search_help_text = "actor, workflow id or note"
    fields = readonly_fields = ["at", "actor", "door", "action", "workflow_id", "whole_note", "data"]

    @display(description="note")  # type: ignore[untyped-decorator]
    def short_note(self, row: AuditEvent) -> str:
        return clip(row.note, 100)

    @display(description="note")  # type: ignore[untyped-decorator]
    def whole_note(self, row: AuditEvent) -> str:
        return clip(row.note, 10_000)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    needs = "run.force-stop"  # an administrator's
    list_display = ["prefix", "user", "name", "created_at", "last_used_at", "expires_at"]
    search_fields = ["prefix", "user__username", "name"]
    exclude = ["digest"]
