from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display  # type: ignore[import-untyped]

from foundation.errors import ZenError
from foundation.identity.authentication import actor_of
from notifications.admin.base import RoleAdmin, in_words
from notifications.message import Person
from notifications.models import Channel
from notifications.services import send_test
from notifications.services.audit import record


@admin.register(Channel)
class ChannelAdmin(RoleAdmin):
    list_display = ["name", "kind", "personal", "enabled", "works", "last_ok_at", "last_error"]
    list_filter = ["kind", "enabled", "personal"]
    search_fields = ["name"]
    fields = ["name", "kind", "personal", "target", "token", "enabled", "last_ok_at", "last_error", "last_error_at"]
    readonly_fields = ["last_ok_at", "last_error", "last_error_at"]
    actions = ["test_message"]

    @display(description="works", label={"yes": "success", "no": "danger", "not tried": "info"})  # type: ignore[untyped-decorator]
    def works(self, channel: Channel) -> str:
        return "no" if channel.last_error else "yes" if channel.last_ok_at else "not tried"

    @action(description="Send a test message", permissions=["change"])  # type: ignore[untyped-decorator]
    def test_message(self, request: HttpRequest, channels: QuerySet[Channel]) -> None:
        me = Person(user_id=request.user.pk, name=request.user.get_username())
        for channel in channels:
            try:
                delivery = send_test(channel=channel, actor=actor_of(request.user, door="admin"), person=me)
            except ZenError as error:
                messages.error(request, in_words(error))
            else:
                messages.success(request, f"{channel}: a message is on its way, as delivery {delivery.pk}")

    def save_model(self, request: HttpRequest, channel: Channel, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, channel, form, change)
            self._audited(request, "channel.change" if change else "channel.make", channel)

    def delete_model(self, request: HttpRequest, channel: Channel) -> None:
        with transaction.atomic():
            self._audited(request, "channel.delete", channel)
            super().delete_model(request, channel)

    def delete_queryset(self, request: HttpRequest, channels: QuerySet[Channel]) -> None:
        for channel in channels:
            self.delete_model(request, channel)

    def _audited(self, request: HttpRequest, what: str, channel: Channel) -> None:
        """Its target may be confidential, and stands in the row anyway."""
        actor = actor_of(request.user, door="admin")
        record(actor=actor, action=what, channel=channel.name, kind=channel.kind, enabled=channel.enabled)
