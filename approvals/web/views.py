"""Pages outside the admin: a stable address for a request, and what a link of one's own opens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from approvals.core.content import apply_edits
from approvals.core.enums import Choice
from approvals.models import Link, Request
from approvals.policies.principals import Person
from approvals.queries import requests
from approvals.queries.impact import consequences
from approvals.queries.view import request_view
from approvals.requests.caller import evidence_of
from approvals.requests.decide import decide
from approvals.requests.form_answers import beside, inputs_for, typed_in
from approvals.requests.messages import links
from approvals.requests.state.lock import database_now
from approvals.web.closed import late, shut
from approvals.web.history import said_before
from approvals.web.plain_text import plain, text_of
from approvals.web.showing import described
from foundation.api.errors import STATUS
from foundation.clock import now
from foundation.db import statements
from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.templatetags.zen import visible

LONGEST_PART = 100_000
"""What the page shows of a context and of an action; the rest is one press away, as plain text."""

PARTS = (("context", "Context"), ("action", "What your approval allows"))
OFFERED = (Choice.APPROVE, Choice.REJECT)


@require_safe
def page(request: HttpRequest, request_id: str) -> HttpResponse:
    """Signed in or not, to the request's page; who is not signed in is asked to there."""
    found = get_object_or_404(Request, request_id=request_id) if request.user.is_authenticated else None
    if found is None:
        return HttpResponseRedirect(f"{reverse('admin:login')}?next={request.path}")
    return HttpResponseRedirect(reverse("admin:approvals_request_change", args=[found.pk]))


@never_cache
@sensitive_variables("token")
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Looking decides nothing: mail scanners look too. Only the form's own button does."""
    found = links.find(token)
    if found is None:
        return _answer(request, {"gone": "This link is invalid or incomplete."}, status=404)
    if request.method == "POST":
        return _decided(request, found)
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405)
    return _answer(request, _shown(found), whole="whole" in request.GET)


def _decided(request: HttpRequest, link: Link) -> HttpResponse:
    word, comment = request.POST.get("decision", ""), request.POST.get("comment", "")
    if word not in OFFERED:
        return _answer(request, _shown(link) | {"error": "Choose approve or reject.", "comment": comment}, status=422)
    refused: ZenError | None = None
    with statements.writing():
        held = links.locked(link)
        if why := shut(held, database_now(requests.state_of(held.request))):
            return _answer(request, {"gone": why, "request": held.request})
        try:
            after = _said(request, held, word, comment)
        except ZenError as refusal:  # not let out of here: what the clock did at this moment stays
            refused = refusal
        else:
            Link.objects.filter(pk=held.pk).update(used_at=now())
    if refused is None:
        return _answer(request, {"done": word, "request": after})
    text = refused.in_words()
    shown = _shown(links.again(link), request.POST) | {"error": text, "comment": comment}
    shown["faults"] = beside(refused)
    return _answer(request, shown, status=_status(refused))


def _said(request: HttpRequest, link: Link, word: str, comment: str) -> Request:
    person = Person(**_known(link))
    actor = Actor(
        name=person.name[:150], door="link", roles=frozenset({permissions.APPROVER}),
        scopes=frozenset({"view", "approval.decide"}),
    )  # fmt: skip
    return decide(
        request_id=link.request.request_id, actor=actor, person=person, choice=word, comment=comment,
        answers=typed_in(requests.form_of(link.request), word, request.POST),
        seen=request.POST.get("seen", ""), evidence=evidence_of(request, strength="link"),
    )  # fmt: skip


def _status(error: ZenError) -> int:
    return STATUS.get(type(error), 400)


def _known(link: Link) -> dict[str, Any]:
    info = link.request.people.get(link.person, {})
    name, email = info.get("name", link.person), info.get("email", "")
    return {"id": link.person, "name": name, "email": email, "user_id": info.get("user_id")}


def _shown(link: Link, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    at = now()
    if why := shut(link, at) or late(link.request, at):
        return {"gone": why, "request": link.request}
    plan, view = requests.plan_of_request(link.request), request_view(link.request)
    content = apply_edits(link.request.content, link.request.edits)
    return {
        "request": link.request,
        "view": view,
        "consequences": consequences(link.request, plan, requests.state_of(link.request)),
        "parts": [_part(title, content[name]) for name, title in PARTS if content.get(name)],
        "description": described(str(content.get("description") or "")),
        "said": said_before(link.request, view),
        "questions": inputs_for(requests.form_of(link.request), typed or {}, OFFERED),
        "person": _known(link)["name"],
    }


def _part(title: str, value: Any) -> dict[str, Any]:
    text = json.dumps(value, ensure_ascii=False, default=str, indent=2)
    return {"title": title, "text": visible(text[:LONGEST_PART]), "cut": len(text) > LONGEST_PART}


def _answer(request: HttpRequest, context: dict[str, Any], status: int = 200, *, whole: bool = False) -> HttpResponse:
    """`whole`: what is asked, all of it as plain text, while there is something to decide."""
    if "gone" in context and status == 200:
        status = 410
    if whole and "gone" not in context:
        answer = plain(text_of(context["request"], "content"), "inline")
    else:
        answer = render(request, "approvals/link/page.html", context, status=status)
    answer["Referrer-Policy"] = "same-origin"  # with none at all, Chromium posts an Origin that Django refuses
    answer["X-Robots-Tag"] = "noindex"
    return answer
