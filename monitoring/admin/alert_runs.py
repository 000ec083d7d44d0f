from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.errors import ZenError
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from monitoring.admin.forms import NoteForm
from monitoring.models import Alert, AlertMember, Job
from monitoring.trials.alert_acts import VERBS, ask_act, preview_act
from monitoring.trials.members import why_not_on
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs.acts import NEEDS_STEP

LOOKED_AT, MOST_JOBS = 5, 3
"""Runs that are asked for what is legal, and jobs that the page shows."""


class RunsView:
    """The page on which a verb is done to all runs of an alert; mixed into the alert's admin."""

    admin_site: Any

    def runs_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Show what it would do; a POST asks for it.

        Raises:
            PermissionDenied: the account may not act on alerts, or there is no such verb for many runs.
        """
        actor = actor_of(request.user, door="admin")
        alert = Alert.objects.filter(pk=pk).select_related("rule").first()
        if alert is None:
            return self.gone(request, str(pk))  # type: ignore[attr-defined,no-any-return]
        if not permissions.may(actor, "alert.act") or verb not in VERBS:
            raise PermissionDenied
        back = reverse("admin:monitoring_alert_change", args=[pk])
        form = NoteForm(request.POST if request.method == "POST" else None)
        try:
            if form.is_valid():
                job = ask_act(pk, verb, actor=actor, note=form.cleaned_data["note"])
                messages.success(
                    request, f"{verb} on {job.of} runs, one first: job {job.pk}. This page shows its course."
                )
                return HttpResponseRedirect(f"{back}#jobs")
            foretold = preview_act(pk, verb, actor=actor)
        except ZenError as error:
            messages.error(request, error.in_words())
            return HttpResponseRedirect(back)
        title = f"{verb} all runs of: {alert.title}"
        context = {
            **self.page_context(request, title),  # type: ignore[attr-defined]
            "alert": alert, "form": form, "verb": verb, "back": back, "foretold": foretold,
        }  # fmt: skip
        return TemplateResponse(request, "monitoring/admin/alert_runs.html", context)


def group_verbs(alert: Alert, actor: Actor) -> list[str]:
    """The verbs that are legal on one of the alert's first runs, and allowed to the account."""
    if not permissions.may(actor, "alert.act"):
        return []
    members = AlertMember.objects.filter(alert=alert, left_at=None).order_by("pk")[:LOOKED_AT]
    runs = {run.pk: run for run in Run.objects.filter(pk__in=[one.run_id for one in members])}
    return [verb.value for verb in VERBS if any(_is_legal(runs, one, verb, actor) for one in members)]


def _is_legal(runs: dict[int, Run], one: AlertMember, verb: Verb, actor: Actor) -> bool:
    if one.run_id not in runs or (verb in NEEDS_STEP and not one.step_id):
        return False
    return not why_not_on(runs[one.run_id], verb, one.step_id, one.code, actor)


def latest_jobs(alert: Alert) -> list[Job]:
    """The last ones that did something to the alert's runs."""
    return list(Job.objects.filter(kind=Job.ACT, body__alert_id=alert.pk).order_by("-pk")[:MOST_JOBS])
