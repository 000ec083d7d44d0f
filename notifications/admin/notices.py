from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display  # type: ignore[import-untyped]

from notifications.admin.base import ReadOnlyAdmin
from notifications.models import Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "subject", "kind", "title", "urgent", "ways"]
    list_filter = ["kind", "urgent"]
    search_fields = ["subject", "title"]
    search_help_text = "subject or title"
    fields = readonly_fields = ["created_at", "subject", "kind", "title", "text", "url", "urgent", "dedupe", "ways"]

    @display(description="deliveries")  # type: ignore[untyped-decorator]
    def ways(self, notice: Notice) -> str:
        rows = notice.deliveries.select_related("channel").order_by("id")[:50]
        return ", ".join(f"{row.person_name} {row.channel or 'no channel'}: {row.status}".strip() for row in rows)
