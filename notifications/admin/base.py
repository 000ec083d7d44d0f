from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin  # type: ignore[import-untyped]

from notifications.errors import NoticeError
from notifications.roles import ADMINISTRATOR, MAY_RESEND, roles_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminActor:
    name: str
    door: str
    roles: frozenset[str]


def actor_of(request: HttpRequest) -> AdminActor:
    return AdminActor(name=request.user.get_username(), door="admin", roles=roles_of(request.user))


def in_words(error: NoticeError) -> str:
    return f"{error.message}. {error.remedy}".strip()


class RoleAdmin(ModelAdmin):  # type: ignore[misc]
    """Whoever has a role may look. By group name: this room may not import that of the roles."""

    change_form_template = "notifications/admin/row.html"

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
    """Nobody edits a row here."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
