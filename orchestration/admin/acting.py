"""A verb's page: what it would do as things stand, a form, and the act."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.errors import BadInput, ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from orchestration.admin.forms import ActForm, ResolveForm
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, preview, queries
from orchestration.runs.acts import Preview, permission_for
from orchestration.runs.allowed_actions import GRAVE


class ActView:
    """For the admin of runs."""

    def act_view(self: Any, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        run = self.get_object(request, str(pk))
        if not self.has_view_permission(request):
            raise PermissionDenied
        if verb not in list(Verb):
            raise Http404(f"there is no verb '{verb}'")
        if run is None:
            return self.gone(request, str(pk))  # type: ignore[no-any-return]
        word, step_id = Verb(verb), request.GET.get("step_id", "")
        form = (ResolveForm if word is Verb.RESOLVE else ActForm)(request.POST if request.method == "POST" else None)
        actor = actor_of(request.user, door="admin")
        try:
            if request.method == "POST":
                permissions.require(actor, permission_for(word))
                if form.is_valid() and (after := _done(run, word, actor, step_id, form)):
                    messages.success(request, f"{verb} {step_id}: done, the run is {after.status}".replace(" :", ":"))
                    return HttpResponseRedirect(_page_of(after))
            shown = preview(workflow_id=run.workflow_id, verb=word, actor=actor, step_id=step_id)
        except ZenError as error:
            messages.error(request, error.in_words())
            return HttpResponseRedirect(_page_of(run))
        title = f"{verb} {step_id}".strip()
        context = {**self.page_context(request, title), **_context(run, shown, actor, step_id, form)}
        return TemplateResponse(request, "orchestration/admin/act.html", context)


def _page_of(run: Run) -> str:
    return reverse("admin:orchestration_run_change", args=[run.pk])


def _done(run: Run, verb: Verb, actor: Actor, step_id: str, form: ActForm) -> Run | None:
    """The run after the act; None when the form says what is wrong with it."""
    given = form.cleaned_data
    try:
        return act(
            workflow_id=run.workflow_id, verb=verb, actor=actor, step_id=step_id, note=given["note"],
            answer=given.get("answer", ""), action=given.get("action"),
        )  # fmt: skip
    except BadInput as error:
        form.add_error(error.field if error.field in form.fields else None, error.in_words())
        return None


def _context(run: Run, shown: Preview, actor: Actor, step_id: str, form: ActForm) -> dict[str, Any]:
    verb = Verb(shown.verb)
    may = permissions.may(actor, permission_for(verb))
    step = next((step for step in queries.run_view(run)["steps"] if step["step_id"] == step_id), None)
    return {
        "run": run,
        "preview": shown,
        "step": step,
        "form": form,
        "may": may,
        "needed": " or ".join(sorted(permissions.MAY[permission_for(verb)])),
        "grave": verb in GRAVE,
        "back": _page_of(run),
    }
