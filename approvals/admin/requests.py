from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import display  # type: ignore[import-untyped]

from approvals.admin import faults
from approvals.admin.acting import act, asked_for, given_by
from approvals.admin.bulk import BulkView
from approvals.admin.inbox import LARGE, inbox_context, next_for
from approvals.admin.page import page_of
from approvals.badges import LABELS
from approvals.models import Request
from approvals.web.plain_text import plain, text_of
from foundation.admin.base import ReadOnlyAdmin
from foundation.errors import ZenError
from foundation.templatetags.zen import clip

PLAIN_PARTS = ("content", "changes", "description")


@admin.register(Request)
class RequestAdmin(BulkView, ReadOnlyAdmin):
    list_display = ["request_id", "short_title", "badge", "policy", "requester", "created_at", "expires_at", "by"]
    list_filter = ["status", "stage", "policy__name"]
    search_fields = ["request_id", "title", "about", "requester"]
    search_help_text = "request, title, run or requester"
    list_select_related = ["policy"]

    @display(description="title", ordering="title")  # type: ignore[untyped-decorator]
    def short_title(self, row: Request) -> str:
        return clip(row.title, 80)

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]
    def badge(self, row: Request) -> str:
        return row.status

    @display(description="decided by", ordering="decided_by", empty_value="")  # type: ignore[untyped-decorator]
    def by(self, row: Request) -> str:
        return clip(row.decided_by, 80)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Request]:
        rows: QuerySet[Request] = super().get_queryset(request)
        return rows.defer(*LARGE)

    def get_urls(self) -> list[Any]:
        site = self.admin_site.admin_view
        own = [
            path("inbox/", site(self.inbox_view), name="approvals-inbox"),
            path("inbox/bulk/", site(self.bulk_view), name="approvals-bulk"),
            path("inbox/next/", site(self.next_view), name="approvals-next"),
            path("<int:pk>/plain/<str:part>/", site(self.plain_view), name="approvals-plain"),
        ]
        return [*own, *super().get_urls()]

    def inbox_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.page_context(request, "Inbox"), **inbox_context(request)}
        return TemplateResponse(request, "approvals/admin/inbox.html", context)

    def next_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        after = request.GET.get("after", "")
        return _to_next(request, int(after) if after.isdecimal() and len(after) < 18 else 0)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, str(object_id)) if object_id else None
        if not self.has_view_permission(request):
            raise PermissionDenied
        if row is None:
            return self.gone(request, str(object_id))
        fault: ZenError | None = None
        if request.method == "POST":
            try:
                done, decided = act(given_by(request, row))
            except ZenError as error:
                fault = error
                row.refresh_from_db()
            else:
                messages.success(request, clip(done, 400))
                return _to_next(request, row.pk, decided=True) if decided else HttpResponseRedirect(_page(row))
        refused = faults.shown(fault, row, request)
        context = {
            **self.page_context(request, clip(row.title, 120)),
            **page_of(row, request.user, refused["typed"]),
            **refused,
            "next": next_for(request.user, after=row.pk),
        }
        return TemplateResponse(request, "approvals/admin/request.html", context, status=faults.status_of(fault))

    def plain_view(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        """All of it as plain text: what a page cuts is here."""
        row = self.get_object(request, str(pk))
        if not self.has_view_permission(request):
            raise PermissionDenied
        if row is None or part not in PLAIN_PARTS:
            return self.gone(request, str(pk))
        how = "attachment" if "download" in request.GET else "inline"
        return plain(text_of(row, part), f'{how}; filename="request-{pk}-{part}.txt"')


def _page(row: Request) -> str:
    return reverse("admin:approvals_request_change", args=[row.pk])


def _to_next(request: HttpRequest, after: int, *, decided: bool = False) -> HttpResponse:
    following = next_for(request.user, after=after)
    if following is None:
        messages.info(request, "Nothing else waits for you.")
        return HttpResponseRedirect(reverse("admin:approvals-inbox"))
    if decided:  # its page may look just like the one before
        words = f"The next one that waits for you: “{following.title}”{asked_for(following)}."
        messages.info(request, clip(words, 400))
    return HttpResponseRedirect(_page(following))
