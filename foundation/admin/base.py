"""Base classes of the admin's pages: rows are looked at here, and changed by services alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin  # type: ignore[import-untyped]

from foundation.identity import permissions
from foundation.identity.authentication import actor_of


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Lists and shows rows to accounts whose roles allow `needs` (a key of `permissions.MAY`). It never edits one."""

    needs = "view"
    change_form_template = "foundation/admin/row.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return permissions.may(actor_of(request.user, door="admin"), self.needs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page_context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        """The template context that every page of the admin needs, with its title."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title}

    def gone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the list with a message: rows are never deleted here, so the address is wrong."""
        messages.error(request, f"There is no {self.opts.verbose_name} number {object_id[:50]}.")
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        return self.gone(request, object_id)


class PageAdmin(ReadOnlyAdmin):
    """A row is shown by `page_template` with the context `page`; `new_page` answers where adding is permitted."""

    page_template = ""

    def page(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        """What the page of this row shows."""
        raise NotImplementedError

    def new_page(self, request: HttpRequest) -> HttpResponse:
        """The page on which a new row is made. To be overridden where `has_add_permission` can be true."""
        raise NotImplementedError

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Django's view of one row, answered by `page` or `new_page`.

        Raises:
            PermissionDenied: the account may not look, or may not add.
        """
        if not self.has_view_permission(request) or (object_id is None and not self.has_add_permission(request)):
            raise PermissionDenied
        if object_id is None:
            return self.new_page(request)
        row = self.get_object(request, str(object_id))
        if row is None:
            return self.gone(request, str(object_id))
        context = {**self.page_context(request, str(row)), **self.page(row, request)}
        return TemplateResponse(request, self.page_template, context)
