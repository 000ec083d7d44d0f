"""The first page after the login: how the site does, what needs somebody now, and how it went."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from monitoring.dashboard import dashboard, shared_charts
from monitoring.models import RunHealth
from monitoring.queries.charts import SPANS, table
from monitoring.queries.needs import alerts_to_take, state_of_the_site, troubled_runs
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import allowed_actions

PART = "monitoring/admin/overview_now.html"
MOST_SAGAS, MOST_WORKERS = 10, 20


def home(request: HttpRequest) -> HttpResponse:
    """The admin's own address: the overview for who may look at runs, the list of the others' rooms else."""
    if _may_look(request):
        return HttpResponseRedirect(reverse("monitoring-overview"))
    return admin.site.index(request)


def overview(request: HttpRequest) -> HttpResponse:
    """The whole page.

    Raises:
        PermissionDenied: the account may not look at runs.
    """
    _require(request)
    context = {**admin.site.each_context(request), "title": "Overview", **_now(request)}
    return TemplateResponse(request, "monitoring/admin/overview.html", context)


def overview_now(request: HttpRequest) -> HttpResponse:
    """What of the page changes, for its script; 304 where the browser has it as it is. Raises as `overview`."""
    _require(request)
    text = render_to_string(PART, _now(request), request=request)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    unchanged = request.headers.get("If-None-Match") == tag
    answer = HttpResponseNotModified() if unchanged else HttpResponse(text)
    answer["ETag"], answer["Cache-Control"] = tag, "private, no-cache"
    return answer


def _may_look(request: HttpRequest) -> bool:
    return permissions.may(actor_of(request.user, door="admin"), "view")


def _require(request: HttpRequest) -> None:
    if not _may_look(request):
        raise PermissionDenied


def _now(request: HttpRequest) -> dict[str, Any]:
    actor, data = actor_of(request.user, door="admin"), dashboard()
    span = request.GET.get("span", "hour")
    span = span if span in SPANS else "hour"
    worst = [row for row in data["by_saga"] if row["critical"] or row["success_rate"] not in (None, 1) or row["open"]]
    return {
        "request": request,
        "data": data,
        "state": state_of_the_site(data),
        "runs": [(row, _act(row, actor)) for row in troubled_runs()],
        "alerts": alerts_to_take(),
        "may_ack": permissions.may(actor, "alert.act"),
        "span": span,
        "spans": [(key, words) for key, (words, _, _) in SPANS.items()],
        "charts": [(chart, table(chart)) for chart in shared_charts(span)],
        "sagas": worst[:MOST_SAGAS],
        "workers": data["workers"][:MOST_WORKERS],
    }


def _act(row: RunHealth, actor: Actor) -> tuple[str, str] | None:
    """(title, address) of what its worst issue asks for, where that is legal now and allowed to the account."""
    told = (row.issues[0].get("act") or {}) if row.issues else {}
    verb, step_id = told.get("verb") or "", told.get("step_id") or ""
    if verb not in set(Verb) or not _is_legal(row.run, actor, Verb(verb), step_id):
        return None
    address = reverse("admin:run-act", args=[row.run_id, verb])
    return f"{verb} {step_id}".strip(), address + (f"?{urlencode({'step_id': step_id})}" if step_id else "")


def _is_legal(run: Run, actor: Actor, verb: Verb, step_id: str) -> bool:
    if step_id:
        return verb in allowed_actions.verbs_of_steps(run, actor, [step_id]).get(step_id, [])
    return verb in allowed_actions.verbs_of_the_run(run, actor)
