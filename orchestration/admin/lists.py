from __future__ import annotations

from django.contrib import admin

from orchestration.admin.base import ReadOnlyAdmin
from orchestration.models import ApiToken, AuditEvent, Definition


@admin.register(Definition)
class DefinitionAdmin(ReadOnlyAdmin):
    list_display = ["saga_id", "version", "name", "published_by", "published_at"]
    list_filter = ["saga_id"]
    search_fields = ["saga_id", "name", "hash"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "door", "action", "workflow_id", "note"]
    list_filter = ["door", "action"]
    search_fields = ["actor", "workflow_id", "note"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    needs = "run.force-stop"  # an administrator's
    list_display = ["prefix", "user", "name", "created_at", "last_used_at", "expires_at"]
    search_fields = ["prefix", "user__username", "name"]
    exclude = ["digest"]
