from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.decorators import display  # type: ignore[import-untyped]

from orchestration import selectors
from orchestration.admin.base import ReadOnlyAdmin
from orchestration.admin.graph import graph
from orchestration.api.auth import actor_of
from orchestration.core.guards import refusal
from orchestration.core.words import Answer, Verb
from orchestration.errors import ZenError
from orchestration.ledger import load_state
from orchestration.models import AuditEvent, Run
from orchestration.plans import plan_of
from orchestration.services import act, event_for, preview
from orchestration.services.acts import NEEDS_STEP

COLOURS = {
    "completed": "success",
    "rolled_back": "warning",
    "held": "warning",
    "needs_attention": "danger",
    "rollback_incomplete": "danger",
    "force_stopped": "danger",
    "running": "info",
    "compensating": "info",
}
MOST_EVENTS = 500


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["workflow_id", "saga", "badge", "cause", "engine", "created_at", "finished_at"]
    list_filter = ["status", "engine", "cause"]
    search_fields = ["workflow_id", "definition__saga_id"]
    list_select_related = ["definition"]

    @display(description="status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def badge(self, run: Run) -> str:
        return run.status

    @display(description="saga", ordering="definition__saga_id")  # type: ignore[untyped-decorator]
    def saga(self, run: Run) -> str:
        return str(run.definition)

    def get_urls(self) -> list[Any]:
        act_on = path("<int:pk>/act/<str:verb>/", self.admin_site.admin_view(self.act_view), name="run-act")
        return [act_on, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, str(object_id)) if object_id else None
        if not self.has_view_permission(request):
            raise PermissionDenied
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[no-any-return]
        view = selectors.run_view(run)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": run.workflow_id,
            "run": run,
            "view": view,
            "why": selectors.why(run),
            "graph": graph(plan_of(run), view["steps"]),
            "verbs": legal(run, actor_of(request.user, door="admin")),
            "events": selectors.run_events(run)[:MOST_EVENTS],
            "attempts": run.commands.filter(kind="run_action"),
            "related": [*([run.parent] if run.parent else []), *run.children.all()],
            "audit": AuditEvent.objects.filter(workflow_id=run.workflow_id)[:100],
        }
        return TemplateResponse(request, "orchestration/admin/run.html", context)

    def act_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        run, page = self.get_object(request, str(pk)), reverse("admin:orchestration_run_change", args=[pk])
        if not self.has_view_permission(request):
            raise PermissionDenied
        if run is None or verb not in list(Verb):
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]
        actor, given = actor_of(request.user, door="admin"), request.POST or request.GET
        step_id, word = given.get("step_id", ""), Verb(verb)
        try:
            if request.method == "POST":
                note, answer = given.get("note", "").replace("\x00", ""), given.get("answer", "")
                after = act(
                    workflow_id=run.workflow_id, verb=word, actor=actor, step_id=step_id, note=note, answer=answer
                )
                messages.success(request, f"{verb}: done, the run is {after.status}")
                return HttpResponseRedirect(reverse("admin:orchestration_run_change", args=[after.pk]))
            shown = preview(workflow_id=run.workflow_id, verb=word, actor=actor, step_id=step_id)
        except ZenError as error:
            messages.error(request, f"{error.message}. {error.remedy}".strip())
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{verb} {step_id or run.workflow_id}",
            "preview": shown,
            "step_id": step_id,
            "back": page,
            "answers": [a.value for a in Answer if a is not Answer.ALTERNATIVE] if word is Verb.RESOLVE else [],
        }
        return TemplateResponse(request, "orchestration/admin/act.html", context)


def legal(run: Run, actor: Any) -> list[dict[str, str]]:
    """The verbs that are legal now, each with its step."""
    plan, state = plan_of(run), load_state(run)
    found = [{"verb": Verb.RESTART.value, "step_id": ""}] if run.finished_at else []
    for verb in Verb:
        if verb is Verb.RESTART:
            continue
        for step_id in plan.order if verb in NEEDS_STEP else ("",):
            event = event_for(verb=verb, actor=actor, step_id=step_id, note="-", answer=Answer.RETRY)
            if not refusal(plan, state, event):
                found.append({"verb": verb.value, "step_id": step_id})
    return found
