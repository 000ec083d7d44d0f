"""Decide several at once: each by itself, with its own refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from approvals.admin.inbox import LARGE
from approvals.admin.review import asked_for_with, reviewed
from approvals.core.enums import Choice
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.requests import decide
from approvals.requests.caller import evidence_of
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.authentication import actor_of

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    row: Request
    word: str
    refusal: str = ""
    seen: str = ""
    """'' once it was to another content: a yes is then shown what it would be to by now."""

    again: bool = False
    """Whether it could be decided from here once more: not what asks for a form, nor with a no to what has changed."""


class BulkView:
    """For the admin of requests."""

    def bulk_view(self: Any, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        picked = sorted({int(pk) for pk in request.POST.getlist("pick") if pk.isdecimal() and len(pk) < 18})[:MOST]
        choice, comment = request.POST.get("choice", ""), request.POST.get("comment", "").replace("\0", "").strip()
        if request.method != "POST" or not picked or not choice:
            messages.error(request, "Nothing was decided: select requests and a decision.")
            return HttpResponseRedirect(reverse("admin:approvals-inbox"))
        if choice == Choice.APPROVE and not all(request.POST.get(f"seen:{pk}") for pk in picked):
            return _to_review(self, request, picked, comment)
        rows = Request.objects.filter(pk__in=picked).select_related("policy", "run").order_by("pk")
        results = [_result(request, row, choice, comment) for row in rows.defer(*LARGE)]
        context = {
            **self.page_context(request, "Decided together"),
            "results": results,
            "refused": sum(bool(one.refusal) for one in results),
            "again": any(one.again for one in results),
            "choice": choice,
            "comment": comment,
        }
        return TemplateResponse(request, "approvals/admin/bulk.html", context)


def _to_review(admin: Any, request: HttpRequest, picked: Sequence[int], comment: str) -> HttpResponse:
    """A line of the inbox shows no content, so its yes comes from the page that does."""
    if not permissions.may(actor_of(request.user, door="admin"), "approval.decide"):
        raise PermissionDenied
    shown = reviewed(picked)
    context = {
        **admin.page_context(request, "Approve together"),
        "shown": shown,
        "number": sum(not one["why_not"] for one in shown),
        "comment": comment,
    }
    return TemplateResponse(request, "approvals/admin/review.html", context)


def _result(http: HttpRequest, row: Request, choice: str, comment: str) -> Result:
    """In the order of the ids, so that two who decide the same ones never wait for each other in a circle."""
    user, seen = http.user, http.POST.get(f"seen:{row.pk}", "")
    if choice != Choice.APPROVE:
        seen = seen or http.POST.get(f"listed:{row.pk}", "")
    try:
        after = decide(
            request_id=row.request_id, actor=actor_of(user, door="admin"), person=person_of(user), choice=choice,
            comment=comment, seen=seen, evidence=evidence_of(http, bulk=True),
        )  # fmt: skip
    except ZenError as error:
        stale = seen not in ("", _hash_now(row))
        again = not asked_for_with(row, choice) and (choice == Choice.APPROVE or not stale)
        return Result(row=row, word="refused", refusal=error.in_words(), seen="" if stale else seen, again=again)
    return Result(row=row, word=after.status)


def _hash_now(row: Request) -> str | None:
    return Request.objects.filter(pk=row.pk).values_list("shown_hash", flat=True).first()
