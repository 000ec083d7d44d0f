"""The whole content as plain text, which pages cut short."""

from __future__ import annotations

import json

from django.http import HttpResponse

from approvals.core.content import difference
from approvals.models import Request
from approvals.queries.requests import with_edits
from foundation.templatetags.zen import visible


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
