from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import action, display  # type: ignore[import-untyped]

from foundation.admin.base import ReadOnlyAdmin
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.templatetags.zen import clip
from notifications.models import Callback, Endpoint
from notifications.webhooks import enable, redeliver, rotate

LABELS = {"delivered": "success", "dead": "danger", "queued": "info", "sending": "info", "cancelled": "warning"}


class CallbackRoles(ReadOnlyAdmin):
    def has_act_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "callback.act")

    def has_keys_permission(self, request: HttpRequest) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), "callback.keys")


@admin.register(Callback)
class CallbackAdmin(CallbackRoles):
    list_display = ["created_at", "about", "event_type", "badge", "where", "attempts", "due_at", "error"]
    list_filter = ["status", "event_type"]
    search_fields = ["subject", "payload", "webhook_id", "endpoint__url", "endpoint__owner"]
    search_help_text = "request, subject, webhook id, address or owner"
    list_select_related = ["endpoint"]
    fields = readonly_fields = [
        "endpoint", "webhook_id", "event_type", "subject", "sequence", "status", "attempts", "due_at", "last_status",
        "error", "created_at", "delivered_at", "sent",
    ]  # fmt: skip
    actions = ["send_again"]

    @display(description="about", ordering="subject")  # type: ignore[untyped-decorator]
    def about(self, row: Callback) -> str:
        """The request that it tells of, where it says so."""
        data = json.loads(row.payload).get("data", {})
        return clip(data.get("request_id") or row.subject, 80)

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]
    def badge(self, row: Callback) -> str:
        return row.status

    @display(description="endpoint")  # type: ignore[untyped-decorator]
    def where(self, row: Callback) -> str:
        return clip(row.endpoint, 80)

    @display(description="last error")  # type: ignore[untyped-decorator]
    def error(self, row: Callback) -> str:
        return clip(row.last_error, 200)

    @display(description="what is sent")  # type: ignore[untyped-decorator]
    def sent(self, row: Callback) -> str:
        return clip(row.payload, 20_000)

    @action(description="Send again", permissions=["act"])  # type: ignore[untyped-decorator]
    def send_again(self, request: HttpRequest, rows: QuerySet[Callback]) -> None:
        for row in rows.order_by("pk"):
            try:
                redeliver(row, actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                messages.error(request, f"{row.webhook_id}: {error.in_words()}")
            else:
                messages.success(request, f"{row.webhook_id} is sent again, from the first attempt on")


@admin.register(Endpoint)
class EndpointAdmin(CallbackRoles):
    list_display = ["url", "owner", "works", "created_at", "previous_until"]
    search_fields = ["url", "owner"]
    search_help_text = "address or owner"
    fields = readonly_fields = [
        "url", "owner", "public_key", "previous_until", "disabled_at", "why", "created_by", "created_at",
    ]  # fmt: skip
    actions = ["enable_again", "rotate_keys"]

    @display(description="is called", label={"yes": "success", "no": "danger"})  # type: ignore[untyped-decorator]
    def works(self, endpoint: Endpoint) -> str:
        return "no" if endpoint.disabled_at else "yes"

    @display(description="why it is disabled")  # type: ignore[untyped-decorator]
    def why(self, endpoint: Endpoint) -> str:
        return clip(endpoint.disabled_reason)

    @action(description="Call it again", permissions=["act"])  # type: ignore[untyped-decorator]
    def enable_again(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        for endpoint in endpoints.order_by("pk"):
            try:
                enable(endpoint, actor=actor_of(request.user, door="admin"))
            except ZenError as error:
                messages.error(request, f"{endpoint}: {error.message}")
            else:
                messages.success(request, f"{endpoint} is called again")

    @action(description="Give it new keys", permissions=["keys"])  # type: ignore[untyped-decorator]
    def rotate_keys(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> HttpResponse | None:
        """The secrets are shown in this one answer, and kept in no message or log."""
        actor, made, refused = actor_of(request.user, door="admin"), list[Any](), list[str]()
        for endpoint in endpoints.order_by("pk"):
            try:
                made.append(rotate(endpoint, actor=actor))
            except ZenError as error:
                refused.append(f"{endpoint}: {error.in_words()}")
        context = {**self.page_context(request, "New keys"), "made": made, "refused": refused}
        answer = TemplateResponse(request, "approvals/admin/keys.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer
