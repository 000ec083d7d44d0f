"""Remind the people who have not decided yet, on request."""

from __future__ import annotations

import math

from approvals.core.approval.events import Reminded
from approvals.core.approval.timers import can_be_reminded_at
from approvals.core.enums import Status
from approvals.models import Request
from approvals.policies.local_times import time_in
from approvals.requests.lookup import found_request
from approvals.requests.rights import asked_it, require_caller, require_right
from approvals.requests.state.lock import locked_now
from foundation import audit
from foundation.errors import TooSoon, WrongState
from foundation.identity.actor import Actor


def remind(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """Remind them: by the person who asked, or an operator. Returns the request.

    Notifications keep their own bounds: a person who was told too often of this request is not told again.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not.
        WrongState: it has ended, or waits for the actor's own changes.
        TooSoon: they were reminded a moment ago.
    """
    require_caller("remind", actor)
    with locked_now(found_request(request_id).run_id) as (locked, at):
        require_right("remind", locked.request, actor)
        if asked_it(locked.request, actor) and locked.state.status is Status.CHANGES_REQUESTED:
            raise WrongState("it waits for you", field="verb", remedy="make the changes, and resubmit it")
        free = can_be_reminded_at(locked.state)
        if free is not None and free > at and not locked.state.status.is_end:
            when = time_in(locked.request, free, seconds=True)
            raise TooSoon(
                f"they were reminded a moment ago; it can be done again at {when}", field="verb",
                remedy="wait until then", retry_after=math.ceil((free - at).total_seconds()),
            )  # fmt: skip
        event = Reminded(at=at, by=actor.name)
        why = locked.refusal(event)
        if why:
            raise WrongState(why, field="verb")
        audit.record(actor=actor, action="approval.remind", workflow_id=locked.request.request_id, note=note)
        locked.apply(event, by=actor.name)
        return locked.request
