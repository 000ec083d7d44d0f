from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import ReadOnlyAdmin
from foundation.models import ApiToken, AuditEvent
from foundation.templatetags.zen import clip
from orchestration.models import Tombstone


class SourceFilter(admin.AllValuesFieldListFilter):
    """By what the audit, the API and receipts call `door`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.title = "source"


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "source", "action", "workflow_id", "short_note"]
    list_filter = [("door", SourceFilter), "action"]
    search_fields = ["actor", "workflow_id", "note"]
    search_help_text = "actor, workflow id or note"
    fields = readonly_fields = ["at", "actor", "source", "action", "workflow_id", "whole_note", "data"]

    @display(description="source", ordering="door")  # type: ignore[untyped-decorator]
    def source(self, row: AuditEvent) -> str:
        return row.door

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


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    list_display = ["workflow_id", "status", "ended_at", "removed_at"]
    list_filter = ["status"]
    search_fields = ["workflow_id"]
    search_help_text = "workflow id"
    fields = readonly_fields = ["workflow_id", "status", "ended_at", "removed_at", "sha256"]
