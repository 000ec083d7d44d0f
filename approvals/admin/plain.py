"""All of it as plain text: what a page cuts is here, and does nothing but stand there."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from approvals.admin.page import with_edits
from approvals.content import difference
from approvals.models import Request
from orchestration.templatetags.zen import visible

PARTS = ("content", "changes", "description")


class PlainView:
    """For the admin of requests."""

    def plain_view(self: Any, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        row = self.get_object(request, str(pk))
        if not self.has_view_permission(request):
            raise PermissionDenied
        if row is None or part not in PARTS:
            return self.gone(request, str(pk))  # type: ignore[no-any-return]
        how = "attachment" if "download" in request.GET else "inline"
        return plain(text_of(row, part), f'{how}; filename="request-{pk}-{part}.txt"')


def plain(text: str, disposition: str) -> HttpResponse:
    answer = HttpResponse(visible(text), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = disposition
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def text_of(row: Request, part: str) -> str:
    if part == "changes":
        return difference(row.earlier[-1], row.content) if row.earlier else ""
    content = with_edits(row)
    if part == "description":
        return str(content.get("description", ""))
    return json.dumps(content, indent=2, ensure_ascii=False)
