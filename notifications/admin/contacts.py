from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from foundation.identity.authentication import actor_of
from foundation.identity.permissions import ADMINISTRATOR, roles_of
from notifications.admin.base import RoleAdmin
from notifications.models import Contact
from notifications.services.audit import record


@admin.register(Contact)
class ContactAdmin(RoleAdmin):
    """Administrators edit all contacts; others their own, without its Slack id.

    A press in Slack counts as the decision of the account that has the Slack id.
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
            record(actor=actor_of(request.user, door="admin"), action="contact.change", user=user, fields=fields)
