"""Several people act on one request at the same instant, and what must hold afterwards whoever won."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from approvals.core.approval.state import STATE
from approvals.core.enums import ENDS, Status
from approvals.models import Request
from approvals.queries.requests import plan_of_request
from approvals.requests import Ask, ask
from approvals.requests.state.locked_request import run_status
from foundation.audit.verify import verify
from foundation.errors import NotAllowed, WrongState
from foundation.models import AuditEvent
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.runs.new_run import Parent
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA

TIMES = 20
SAGA = {
    "saga_id": "waits",
    "steps": [{"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["bob"]}}],
}

Act = Callable[[], Any]


def waiting_run() -> Run:
    """A run of the own engine whose gate is in nobody's hands."""
    run, _ = start_run(definition=SAGA, actor=ADA, engine="celery")
    return run


def opened(parent: Run | None = None, **more: Any) -> Request:
    """A request of somebody who decides nowhere here, for a run that waits."""
    above = parent or waiting_run()
    given = Ask(**{"stage": "race", "approvers": ("bob", "carol"), "about": above.workflow_id, **more})
    parental = Parent(run=above, step_id="gate", iteration=1, attempt=1)
    return ask(given=given, actor=ADA, engine="celery", parent=parental)[0]


def race(*acts: Act) -> list[Any]:
    """What each gave, or the refusal it met; anything else that is raised fails the test."""
    together = threading.Barrier(len(acts))

    def go(act: Act) -> Any:
        try:
            connection.ensure_connection()
            together.wait(PATIENCE_SECONDS)
            return act()
        except (WrongState, NotAllowed) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(PATIENCE_SECONDS) for future in [pool.submit(go, act) for act in acts]]


def refusals(outcomes: list[Any]) -> list[Exception]:
    return [one for one in outcomes if isinstance(one, Exception)]


def whole(request: Request) -> Request:
    """Rows and state say the same, the end was told once, the audit's chain has no gap."""
    request = Request.objects.select_related("run").get(pk=request.pk)
    state, plan, run = STATE.validate_python(request.state), plan_of_request(request), request.run
    assert (request.status, request.round) == (state.status, state.round)
    assert (run.version, run.status) == (state.version, run_status(state)[0])
    assert (run.finished_at is not None) == state.status.is_end
    rows = [(vote.person, vote.owner, vote.choice, vote.round) for vote in request.votes.all()]
    assert rows == [(vote.person, vote.owner, vote.choice, vote.round) for vote in state.votes]
    seats = {(seat.person, seat.owner) for seat in request.seats.all()}
    assert seats == (set() if state.status.is_end else {(seat.person, seat.owner) for seat in state.seats})
    waiting = {seat.person for seat in request.seats.all() if seat.waits}
    assert waiting == (set(state.awaited) if state.status.can_be_decided else set())
    assert not {vote.person for vote in state.spoken} & plan.barred  # a later author may have spoken before
    _told_once(request)
    _logged_once(request, state.version)
    return request


def _told_once(request: Request) -> None:
    ends = request.run.events.filter(kind__in=[f"approval.{status}" for status in ENDS]).count()
    assert ends >= (Status(request.status) in ENDS)
    if request.run.parent is not None:
        assert request.run.parent.messages.filter(message_id__startswith=f"look:{request.run_id}:").count() == ends
    assert not request.run.commands.filter(status="ready").exists() or not Status(request.status).is_end


def _logged_once(request: Request, version: int) -> None:
    seqs = list(request.run.events.values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1)) and len(seqs) >= version
    audited = AuditEvent.objects.filter(workflow_id=request.request_id)
    said = audited.filter(
        action__in=["approval.approve", "approval.reject", "approval.abstain", "approval.request-changes"]
    )
    assert said.count() == request.votes.count()
    assert audited.filter(action="approval.spend").count() == (request.spent_at is not None)
    assert verify(chain=request.request_id).is_whole


def ends_of(request: Request) -> list[str]:
    kinds = request.run.events.filter(kind__in=[f"approval.{status}" for status in ENDS])
    return [kind.removeprefix("approval.") for kind in kinds.values_list("kind", flat=True)]
