"""Projects in the admin: the list, the page of one, and what an attempt at a task changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.errors import NotFound
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from orchestration import ports
from orchestration.core.project.phases import PHASES
from orchestration.models import AgentAttempt, Run, Step
from orchestration.projects.queries import page_view
from orchestration.projects.queries.diffs import task_diff
from orchestration.projects.queries.output import latest_output, output_position
from orchestration.runs import allowed_actions

ON_A_PAGE = 50
LINES, LINES_OF_A_TASK = 600, 60
"""Of agents that the page shows before its script adds to them: in all, and of a task."""
OVERRUN, MOST_ASKED = 1.2, 50
NOW = "orchestration/admin/project_now.html"

View = Mapping[str, Any]


def projects(request: HttpRequest) -> HttpResponse:
    """All projects, the newest first.

    Raises:
        PermissionDenied: the account may not look at runs; so do all views here.
    """
    _require(request)
    page = Paginator(Run.objects.filter(kind=Run.PROJECT), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {**admin.site.each_context(request), "title": "Projects", "page_of": page, "rows": _rows(list(page))}
    return TemplateResponse(request, "orchestration/admin/projects.html", context)


def project(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a project."""
    run = _project(request, pk)
    after = output_position()
    lines = latest_output(run, LINES)
    now = _now(run, request)
    tasks = {one["task_id"]: one for one in now["view"]["tasks"]}
    context = {
        **admin.site.each_context(request),
        "title": f"Project {run.workflow_id}",
        **now,
        "after": lines[-1]["seq"] if lines else after,
        "output": _by_task(lines, tasks),
        "kept_lines": LINES_OF_A_TASK,
    }
    return TemplateResponse(request, "orchestration/admin/project.html", context)


def project_now(request: HttpRequest, pk: int) -> HttpResponse:
    """What of the page changes besides the output, for its script; 304 where the browser has it as it is."""
    text = render_to_string(NOW, _now(_project(request, pk), request), request=request)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    unchanged = request.headers.get("If-None-Match") == tag
    answer = HttpResponseNotModified() if unchanged else HttpResponse(text)
    answer["ETag"], answer["Cache-Control"] = tag, "private, no-cache"
    return answer


def project_diff(request: HttpRequest, pk: int, task_id: str) -> HttpResponse:
    """What an attempt at a task changed; the newest one that left a commit, unless `attempt` says another.

    Raises:
        Http404: there is none.
    """
    run = _project(request, pk)
    chosen = request.GET.get("attempt", "")
    try:
        found = task_diff(run, task_id, int(chosen) if chosen.isascii() and chosen.isdecimal() else None)
    except NotFound as error:
        raise Http404(error.message) from error
    context = {**admin.site.each_context(request), "title": f"Diff of {task_id}", "run": run, "task_id": task_id}
    return TemplateResponse(request, "orchestration/admin/project_diff.html", context | found)


def project_decide(request: HttpRequest, pk: int, workflow_id: str) -> HttpResponse:
    """On to the page on which people decide a request of the project's."""
    _project(request, pk)
    asked = get_object_or_404(Run.objects.exclude(kind__in=Run.SAGAS), workflow_id=workflow_id)
    flow = ports.kept(asked.kind)
    if flow is None:
        raise Http404
    return HttpResponseRedirect(flow.page(asked))


def address_of(run: Run) -> str:
    """The page of the project that this run is, or is a step of; '' where it is neither."""
    for one in (run, run.parent):
        if one is not None and one.kind == Run.PROJECT:
            return reverse("project-page", args=[one.pk])
    return ""


def _require(request: HttpRequest) -> None:
    if not permissions.may(actor_of(request.user, door="admin"), "view"):
        raise PermissionDenied


def _project(request: HttpRequest, pk: int) -> Run:
    _require(request)
    return get_object_or_404(Run.objects.select_related("definition", "parent"), pk=pk, kind=Run.PROJECT)


def _now(run: Run, request: HttpRequest) -> dict[str, Any]:
    actor, view = actor_of(request.user, door="admin"), page_view(run)
    return {
        "request": request,
        "run": run,
        "view": view,
        "health": ports.health_on_page(run),
        "gates": _asked([one for one in view["gates"] if one["status"] == "waiting" and one["request_id"]]),
        "matrix": _matrix(view),
        "board": [(one, _tried(view["attempts"][one["task_id"]])) for one in view["tasks"]],
        "spent": _spent(view["cost"]),
        "overrun": _overrun(view["forecast"]),
        "verbs": allowed_actions.verbs_of_the_run(run, actor),
        "grave": allowed_actions.GRAVE,
        "may_act": allowed_actions.may_act(actor),
    }


def _asked(gates: list[View]) -> list[tuple[View, list[str]]]:
    """The open gates and questions, each with whom it waits for."""
    names = [one["request_id"] for one in gates[:MOST_ASKED]]
    runs = {one.workflow_id: one for one in Run.objects.filter(workflow_id__in=names)}
    found = []
    for gate in gates[:MOST_ASKED]:
        run = runs.get(gate["request_id"])
        flow = ports.kept(run.kind) if run is not None else None
        found.append((gate, flow.why(run) if flow is not None and run is not None else []))
    return found


def _matrix(view: View) -> list[tuple[View, list[tuple[str, str]]]]:
    """For each requirement (task, its status) for every task; '' for one that does not serve it."""
    statuses = {one["task_id"]: one["status"] for one in view["tasks"]}
    return [
        (one, [(task, status if task in one["tasks"] else "") for task, status in statuses.items()])
        for one in view["requirements"]
    ]


def _tried(attempts: list[AgentAttempt]) -> dict[str, Any]:
    """What the board says of a task's attempts: all of them, what they cost together, and what the last one left."""
    known = [one.cost for one in attempts if one.cost is not None]
    last = next((one for one in reversed(attempts) if one.commit), None)
    checks = last.checks if last is not None else []
    return {
        "all": attempts,
        "cost": sum(known) if known else None,
        "last": last,
        "commit": last.commit if last is not None else "",
        "tests": len(last.diff.get("tests") or ()) if last is not None else 0,
        "checks": len(checks),
        "green": sum(bool(one.get("passed")) for one in checks),
    }


def _spent(cost: View) -> str:
    """'42 %' of the budget, with a blank that no line is broken at; '' without one."""
    budget = float(cost["budget"] or 0)
    return f"{float(cost['spent']) / budget:.0%}".replace("%", "\N{NO-BREAK SPACE}%") if budget else ""


def _overrun(hours: View) -> bool:
    expected, estimated = hours["expected_hours"], hours["estimated_hours"]
    return bool(expected and estimated and expected > OVERRUN * estimated)


def _by_task(lines: Iterable[View], tasks: Mapping[str, View]) -> list[tuple[str, View, list[View]]]:
    """(task, as the board has it, its last lines), in the order of the plan; what is no task of it comes first."""
    found: dict[str, list[View]] = {}
    for line in lines:
        found.setdefault(line["task_id"], []).append(line)
    order = [*(name for name in found if name not in tasks), *(name for name in tasks if name in found)]
    return [(name, tasks.get(name, {}), found[name][-LINES_OF_A_TASK:]) for name in order]


def _rows(page: list[Run]) -> list[dict[str, Any]]:
    """What the list says of these projects: four queries, however many there are."""
    keys = [run.pk for run in page]
    names = dict(Run.objects.filter(pk__in=keys).values_list("pk", "context__project__spec__name"))
    begun = {
        (key, phase)
        for key, phase in Step.objects.filter(run__in=keys, step_id__in=PHASES).values_list("run_id", "step_id")
    }
    worked = _worked(keys)
    return [
        {
            "run": run,
            "name": names.get(run.pk) or run.workflow_id,
            "phase": next((phase for phase in reversed(PHASES) if (run.pk, phase) in begun), ""),
            "sessions": worked[run.pk][0],
            "cost": worked[run.pk][1],
        }
        for run in page
    ]


def _worked(keys: list[int]) -> dict[int, tuple[int, Decimal | None]]:
    """Project → how many sessions agents have had in it, and what is known of their cost."""
    heads = {key: key for key in keys}
    heads |= dict(Run.objects.filter(parent__in=keys, kind__in=Run.SAGAS).values_list("pk", "parent_id"))
    found: dict[int, tuple[int, Decimal | None]] = dict.fromkeys(keys, (0, None))
    rows = AgentAttempt.objects.filter(run__in=list(heads)).order_by().values("run_id")
    for row in rows.annotate(sessions=Count("pk"), cost=Sum("cost")):
        sessions, cost = found[heads[row["run_id"]]]
        known = [one for one in (cost, row["cost"]) if one is not None]
        found[heads[row["run_id"]]] = (sessions + row["sessions"], sum(known, Decimal(0)) if known else None)
    return found
