from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin  # type: ignore[import-untyped]

from foundation.errors import ZenError
from foundation.identity.permissions import ADMINISTRATOR, roles_of
from notifications.services.resend import MAY_RESEND


def in_words(error: ZenError) -> str:
    return f"{error.message}. {error.remedy}".strip()


class RoleAdmin(ModelAdmin):  # type: ignore[misc]
    """For accounts in some role, by the name of the group."""

    change_form_template = "foundation/admin/row.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(roles_of(request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ADMINISTRATOR in roles_of(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(roles_of(request.user) & MAY_RESEND)


class ReadOnlyAdmin(RoleAdmin):
    """Rows are shown here and never edited."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
