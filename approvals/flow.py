"""The approval flow as orchestration sees it: a flow that keeps its state in its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from approvals import folding, ringing
from approvals.core.codec import STATE
from approvals.core.events import Cancelled
from approvals.core.words import Status
from approvals.models import Request
from approvals.services.held import database_now
from approvals.times import time_in
from orchestration import sql
from orchestration.flows import Next
from orchestration.models import Run


class ApprovalFlow:
    def ring(self, run_pk: int, at: datetime) -> Next:
        with sql.writing():
            held = folding.hold(run_pk)
            ringing.ring(held, max(at, database_now(held.state)))
        return Next(due=held.request.next_at, ended=held.state.status.is_end)

    def hear(self, run: Run, event: dict[str, Any]) -> str:
        """A run that waited and is aborted, or a person who aborts the request's own run."""
        if event.get("kind") not in ("abort_requested", "force_stop_requested"):
            return "an approval can be decided, withdrawn or aborted, and nothing else"
        why = str(event.get("note") or "the run that waited for it was aborted")
        with sql.writing():
            held = folding.hold(run.pk)
            cancelled = Cancelled(at=database_now(held.state), why=why[:200])
            refusal = folding.why_not(held, cancelled)
            if not refusal:
                folding.fold(held, cancelled, by=str(event.get("by") or ""))
        return refusal

    def page(self, run: Run) -> str:
        return reverse("admin:approvals_request_change", args=[Request.objects.get(run=run).pk])

    def why(self, run: Run) -> list[str]:
        request = Request.objects.get(run=run)
        state = STATE.validate_python(request.state)
        settles = time_in(request, state.settles_at) if state.settles_at else ""
        names = sorted(str(request.people.get(person, {}).get("name", person)) for person in state.awaited)
        match state.status:
            case Status.PENDING:
                until = f", until {time_in(request, request.expires_at)}" if request.expires_at else ""
                return [f"approval '{request}' waits for {', '.join(names)}{until}"]
            case Status.CHANGES_REQUESTED:
                return [f"approval '{request}' waits for {request.requester}, who was asked for changes"]
            case Status.COOLING_OFF:
                return [f"approval '{request}' is given, and holds from {settles}"]
            case Status.RESCUE:
                return [f"approval '{request}' needs an administrator, who names others: {state.last_words}"]
            case _:
                return [f"approval '{request}' is {state.status}"]


APPROVAL = ApprovalFlow()
