from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path
from unfold.decorators import display  # type: ignore[import-untyped]

from orchestration import flows, selectors
from orchestration.admin import verbs
from orchestration.admin.acting import ActView
from orchestration.admin.base import PageAdmin
from orchestration.admin.graph import graph
from orchestration.api.auth import actor_of
from orchestration.core.words import Verb
from orchestration.looks import LABELS
from orchestration.models import AuditEvent, Run
from orchestration.plans import plan_of
from orchestration.why import why

ON_A_PAGE = 200
ALL = "all"


class KindFilter(admin.SimpleListFilter):
    """Sagas, unless another kind is chosen or something is looked for: an approval has the inbox."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((kind, kind) for kind in flows.kinds()), (ALL, "all kinds")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        chosen = self.value() or (ALL if request.GET.get("q") else "saga")
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


def _page(run: Run, request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(request.user, door="admin")
    view, plan = selectors.run_view(run), plan_of(run)
    steps = Paginator(view["steps"], ON_A_PAGE).get_page(request.GET.get("steps"))
    legal = verbs.verbs_of_steps(run, actor, [step["step_id"] for step in steps])
    return {
        "run": run,
        "view": view,
        "why": [] if run.finished_at else why(run),
        "pages": flows.pages_of(run),
        "graph": graph(plan, view["steps"]),
        "verbs": verbs.verbs_of_the_run(run, actor),
        "urgent": [(verb, s) for s, found in legal.items() for verb in found if verb in (Verb.RESOLVE, Verb.RETRY)],
        "grave": verbs.GRAVE,
        "may_act": verbs.may_act(actor),
        "steps": steps,
        "rows": [(step, legal[step["step_id"]]) for step in steps],
        "events": Paginator(selectors.run_events(run), ON_A_PAGE).get_page(request.GET.get("events")),
        "attempts": Paginator(run.commands.filter(kind="run_action"), ON_A_PAGE).get_page(request.GET.get("attempts")),
        "related": [*([run.parent] if run.parent else []), *run.children.all()],
        "audit": AuditEvent.objects.filter(workflow_id=run.workflow_id)[:ON_A_PAGE],
    }
