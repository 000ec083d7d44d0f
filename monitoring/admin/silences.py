from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display  # type: ignore[import-untyped]

from foundation.admin.base import ReadOnlyAdmin
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from monitoring.alerting import silences
from monitoring.models import Silence


@admin.register(Silence)
class SilenceAdmin(ReadOnlyAdmin):
    list_display = ["what", "why", "by", "starts_at", "ends_at", "ended_at"]
    fields = readonly_fields = [
        "matchers", "reason", "by", "starts_at", "ends_at", "while_firing", "ended_at", "ended_by",
    ]  # fmt: skip
    actions = ["end_now"]

    @display(description="matches")  # type: ignore[untyped-decorator]
    def what(self, row: Silence) -> str:
        return clip(", ".join(f"{label}={value}" for label, value in row.matchers.items()), 140)

    @display(description="reason")  # type: ignore[untyped-decorator]
    def why(self, row: Silence) -> str:
        return clip(row.reason, 140)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "alert.act")

    @action(description="End now", permissions=["act"])  # type: ignore[untyped-decorator]
    def end_now(self, request: HttpRequest, rows: QuerySet[Silence]) -> None:
        for row in rows.order_by("pk"):
            try:
                silences.end_silence(row.pk, actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                messages.error(request, error.in_words())
            else:
                messages.success(request, f"Silence {row.pk} is over.")
