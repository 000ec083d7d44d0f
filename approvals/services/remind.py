"""Remind whoever still owes an answer, by hand."""

from __future__ import annotations

import math

from approvals import folding
from approvals.core.clocks import can_be_reminded_at
from approvals.core.events import Reminded
from approvals.core.words import Status
from approvals.models import Request
from approvals.own import asked_it
from approvals.services.held import held_now
from approvals.services.view import found_request
from approvals.times import time_in
from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.errors import TooSoon, WrongState


def remind(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """By whoever asked, or an operator. Raises TooSoon when it was done a moment ago.

    The notifications room keeps its own caps: who was told too often of this request hears no more of it.
    """
    roles.require(actor, "view")
    roles.within(actor, "approval.ask")
    with held_now(found_request(request_id).run_id) as (held, at):
        mine = asked_it(held.request, actor)
        if not mine:
            roles.require(actor, "approval.ask")
        if mine and held.state.status is Status.CHANGES_REQUESTED:
            raise WrongState("it waits for you", field="verb", remedy="make the changes, and resubmit it")
        free = can_be_reminded_at(held.state)
        if free is not None and free > at and not held.state.status.is_end:
            when = time_in(held.request, free, seconds=True)
            raise TooSoon(
                f"they were reminded a moment ago; it can be done again at {when}", field="verb",
                remedy="wait until then", retry_after=math.ceil((free - at).total_seconds()),
            )  # fmt: skip
        event = Reminded(at=at, by=actor.name)
        why = folding.why_not(held, event)
        if why:
            raise WrongState(why, field="verb")
        audit.record(actor=actor, action="approval.remind", workflow_id=held.request.request_id, note=note)
        folding.fold(held, event, by=actor.name)
        return held.request
