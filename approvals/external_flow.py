"""Approvals behind orchestration's port `ExternalFlow`: their state is in their rows (docs/adr/0006)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from approvals.core.approval.events import Cancelled
from approvals.core.approval.state import STATE
from approvals.core.enums import Status
from approvals.models import Request
from approvals.policies.local_times import time_in
from approvals.requests.state.lock import database_now, fire_due
from approvals.requests.state.locked_request import lock_request
from foundation.db import statements
from orchestration.models import Run
from orchestration.ports import Next


class ApprovalFlow:
    """Implements `orchestration.ports.ExternalFlow` for runs of the kind `approval`."""

    def on_timer(self, run_pk: int, at: datetime) -> Next:
        """Let everything that was due by `at` happen, and return when to call again."""
        with statements.writing():
            locked = lock_request(run_pk)
            fire_due(locked, max(at, database_now(locked.state)))
        return Next(due=locked.request.next_at, ended=locked.state.status.is_end)

    def on_message(self, run: Run, event: dict[str, Any]) -> str:
        """Cancel the request: the run that waits for it was aborted, or a person aborted the request's own run."""
        if event.get("kind") not in ("abort_requested", "force_stop_requested"):
            return "an approval can be decided, withdrawn or aborted, and nothing else"
        why = str(event.get("note") or "the run that waited for it was aborted")
        with statements.writing():
            locked = lock_request(run.pk)
            cancelled = Cancelled(at=database_now(locked.state), why=why[:200])
            refusal = locked.refusal(cancelled)
            if not refusal:
                locked.apply(cancelled, by=str(event.get("by") or ""))
        return refusal

    def page(self, run: Run) -> str:
        """The path of the request's page."""
        return reverse("admin:approvals_request_change", args=[Request.objects.get(run=run).pk])

    def why(self, run: Run) -> list[str]:
        """In words: whom the request waits for, and until when."""
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
