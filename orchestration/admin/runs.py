from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path
from unfold.decorators import display  # type: ignore[import-untyped]

from foundation.admin.base import PageAdmin
from foundation.identity.authentication import actor_of
from foundation.models import AuditEvent
from foundation.secrets.masking import excerpt
from orchestration import ports
from orchestration.admin import projects
from orchestration.admin.acting import ActView
from orchestration.admin.graph import graph
from orchestration.badges import LABELS
from orchestration.core.enums import Verb
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run
from orchestration.runs import allowed_actions, queries, run_log
from orchestration.runs.archive.views import archive_of
from orchestration.runs.attempts import attempt_views, attempts, views_of
from orchestration.runs.waiting_reasons import why

ON_A_PAGE = 200
LOG_LINES = 50
LONGEST_INPUT = 4000
ALL = "all"


class KindFilter(admin.SimpleListFilter):
    """Sagas, unless another kind is chosen or something is looked for: an approval has the inbox."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((kind, kind) for kind in ports.kinds()), (ALL, "all kinds")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if (chosen := self.value()) is None:
            return queryset if request.GET.get("q") else queryset.filter(kind__in=Run.SAGAS)
        return queryset if chosen == ALL else queryset.filter(kind=chosen)

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen = self.value() or (ALL if changelist.query else "saga")
        for value, title in self.lookup_choices:
            where = changelist.get_query_string({"kind": value})
            yield {"selected": value == chosen, "query_string": where, "display": title}


@admin.register(Run)
class RunAdmin(ActView, PageAdmin):
    page_template = "orchestration/admin/run.html"
    list_display = ["workflow_id", "saga", "badge", "cause_or_none", "engine", "created_at", "finished_at"]
    list_filter = [KindFilter, "status", "engine", "cause"]
    search_fields = ["workflow_id", "definition__saga_id"]
    search_help_text = "workflow id or saga"
    list_select_related = ["definition"]

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]
    def badge(self, run: Run) -> str:
        return run.status

    @display(description="cause", ordering="cause", empty_value="")  # type: ignore[untyped-decorator]
    def cause_or_none(self, run: Run) -> str:
        return run.cause

    @display(description="saga", ordering="definition__saga_id")  # type: ignore[untyped-decorator]
    def saga(self, run: Run) -> str:
        return str(run.definition)

    def get_urls(self) -> list[Any]:
        act_on = path("<int:pk>/act/<str:verb>/", self.admin_site.admin_view(self.act_view), name="run-act")
        return [act_on, *super().get_urls()]

    def page(self, run: Run, request: HttpRequest) -> dict[str, Any]:
        return _page(run, request)


def _trace(run: Run) -> dict[str, str] | None:
    """The id of the run's trace and where it is seen, '' where nobody said; None for a run without one."""
    trace_id = run.trace[3:35]
    page = settings.ZEN_TRACING.page
    return {"id": trace_id, "url": page.replace("{trace_id}", trace_id) if page else ""} if trace_id else None


def _attempts(run: Run, number: str | None) -> dict[str, Any]:
    """A page of them, and the views of those on it; of a condensed run the views that were kept."""
    if archive_of(run) is not None:
        kept = Paginator(attempt_views(run), ON_A_PAGE).get_page(number)
        return {"attempts": kept, "tried": list(kept)}
    rows = Paginator(attempts(run), ON_A_PAGE).get_page(number)
    return {"attempts": rows, "tried": views_of(run, rows)}


def _page(run: Run, request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(request.user, door="admin")
    view, plan = queries.run_view(run), compiled_plan(run)
    steps = Paginator(view["steps"], ON_A_PAGE).get_page(request.GET.get("steps"))
    legal = allowed_actions.verbs_of_steps(run, actor, [step["step_id"] for step in steps])
    return {
        "run": run,
        "view": view,
        "given": excerpt(view["context"], LONGEST_INPUT) if view["context"] else "",
        "health": ports.health_on_page(run),
        "trace": _trace(run),
        "why": [] if run.finished_at else why(run),
        "pages": ports.pages_of(run),
        "project": projects.address_of(run),
        "graph": graph(plan, view["steps"]),
        "verbs": allowed_actions.verbs_of_the_run(run, actor),
        "urgent": [(verb, s) for s, found in legal.items() for verb in found if verb in (Verb.RESOLVE, Verb.RETRY)],
        "grave": allowed_actions.GRAVE,
        "may_act": allowed_actions.may_act(actor),
        "steps": steps,
        "rows": [(step, legal[step["step_id"]]) for step in steps],
        "events": Paginator(queries.run_events(run), ON_A_PAGE).get_page(request.GET.get("events")),
        **_attempts(run, request.GET.get("attempts")),
        "log_position": run_log.log_position(run),
        "log": [{**one, "shown": run_log.shown_number(one)} for one in run_log.latest_entries(run, LOG_LINES)],
        "related": [*([run.parent] if run.parent else []), *run.children.all()],
        "audit": AuditEvent.objects.filter(workflow_id=run.workflow_id)[:ON_A_PAGE],
    }
