from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.admin.base import RoleAdmin, actor_of
from notifications.models import Contact
from notifications.ports import audit
from notifications.roles import ADMINISTRATOR, roles_of


@admin.register(Contact)
class ContactAdmin(RoleAdmin):
    """Administrators keep all of them; everybody else has their own, without its Slack id: a press in Slack counts as
    the word of whoever has that.
    """

    list_display = ["user", "mode", "zone", "quiet_from", "quiet_to", "digest", "muted"]
    list_filter = ["digest", "muted"]
    search_fields = ["user__username", "email"]
    list_select_related = ["user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        rows: QuerySet[Contact] = super().get_queryset(request)
        return rows if ADMINISTRATOR in roles_of(request.user) else rows.filter(user=request.user.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Contact | None = None) -> list[str]:
        mine = [] if ADMINISTRATOR in roles_of(request.user) else ["slack_id"]
        return ["user", *mine] if obj else mine

    def get_exclude(self, request: HttpRequest, obj: Contact | None = None) -> list[str] | None:
        return None if obj or ADMINISTRATOR in roles_of(request.user) else ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        if ADMINISTRATOR in roles_of(request.user):
            return True
        return self.has_view_permission(request) and not Contact.objects.filter(user=request.user.pk).exists()

    def has_change_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        if super().has_change_permission(request, obj):
            return True
        own = obj is None or obj.user_id == request.user.pk
        return own and self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ADMINISTRATOR in roles_of(request.user)

    def save_model(self, request: HttpRequest, contact: Contact, form: Any, change: bool) -> None:
        """The audit says what was changed, not to which address."""
        if not change and ADMINISTRATOR not in roles_of(request.user):
            owner: Any = request.user
            contact.user = owner
        with transaction.atomic():
            super().save_model(request, contact, form, change)
            user, fields = contact.user.get_username(), sorted(form.changed_data)
            audit(actor=actor_of(request), action="contact.change", user=user, fields=fields)
