from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin  # type: ignore[import-untyped]

from orchestration import roles
from orchestration.api.auth import actor_of


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Whoever has a role may look; nobody edits a row here."""

    needs = "view"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(actor_of(request.user, door="admin"), self.needs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
