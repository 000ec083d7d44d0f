from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display  # type: ignore[import-untyped]

from foundation.errors import ZenError
from foundation.identity.authentication import actor_of
from foundation.visible_text import cut
from notifications.admin.base import ReadOnlyAdmin, in_words
from notifications.models import Delivery
from notifications.services import resend

LABELS = {"sent": "success", "dead": "danger", "queued": "info", "sending": "info", "cancelled": "warning"}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """A person's own link is not shown, since anyone who has it may act as that person."""

    list_display = ["created_at", "title", "badge", "channel", "person_name", "attempts", "due_at", "error"]
    list_filter = ["status", "channel"]
    search_fields = ["notice__title", "notice__subject", "person_name", "address"]
    search_help_text = "message, subject, person or address"
    list_select_related = ["notice", "channel"]
    fields = readonly_fields = [
        "notice", "channel", "person_name", "address", "status", "urgent", "attempts", "due_at", "error", "into",
        "updates", "created_at", "sent_at", "ended_at",
    ]  # fmt: skip
    actions = ["send_again"]

    @display(description="message")  # type: ignore[untyped-decorator]
    def title(self, row: Delivery) -> str:
        return cut(row.notice.title, 80)

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]
    def badge(self, row: Delivery) -> str:
        return row.status

    @action(description="Send again", permissions=["resend"])  # type: ignore[untyped-decorator]
    def send_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        """Each by itself, with its own answer."""
        for row in rows:
            try:
                resend(delivery=row, actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                messages.error(request, f"{row.pk}: {in_words(error)}")
            else:
                messages.success(request, f"{row.pk}: it is sent again")
