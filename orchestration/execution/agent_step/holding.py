"""An endpoint that is well, leased for as long as the attempt lasts."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.db import connections

from foundation.clock import now
from foundation.db.outages import AWAY
from foundation.identity.actor import Actor
from orchestration.agents.endpoints import check, health, lease
from orchestration.core.agent.agent_type import AgentType
from orchestration.models import AgentEndpoint

BY = Actor(name="agents", door="engine")


def well(agent_type: AgentType, attempt: lease.Attempt, avoid: Sequence[str]) -> lease.Taken | lease.NoneFree:
    """A lease of an endpoint that is well: one whose check is old is checked first, and passed over if it is ill.

    Raises:
        NoEndpoint, Superseded: as of `lease.take`.
    """
    while True:
        taken = lease.take(agent_type, attempt, avoid=avoid)
        if isinstance(taken, lease.NoneFree) or not health.is_stale(taken.endpoint, now()):
            return taken
        with ExitStack() as unless_well:
            unless_well.callback(lease.give_back, taken.lease_id)
            row = health.note_check(taken.endpoint.pk, check.look(taken.endpoint), by=BY, mended=False)
            if row.health == AgentEndpoint.HEALTHY:
                unless_well.pop_all()
                return dataclasses.replace(taken, endpoint=row)


class Stop(threading.Event):
    """Set when the run no longer wants the result, or the lease is lost. To be asked by the attempt's own thread."""

    def __init__(self, cancelled: threading.Event) -> None:
        super().__init__()
        self._cancelled = cancelled

    def is_set(self) -> bool:
        """Whether the attempt has to end."""
        return super().is_set() or self._cancelled.is_set()


@contextmanager
def held(taken: lease.Taken, cancelled: threading.Event) -> Iterator[Stop]:
    """The lease is renewed until the attempt is over, and given back then. One that lapsed stops the attempt."""
    stop, over = Stop(cancelled), threading.Event()
    thread = threading.Thread(target=_renew, args=(taken.lease_id, over, stop), name="agent-lease", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        over.set()
        thread.join()
        lease.give_back(taken.lease_id)


def _renew(lease_id: int, over: threading.Event, stop: Stop) -> None:
    try:
        while not over.wait(lease.SECONDS / 3):
            try:
                if not lease.renew(lease_id):
                    stop.set()
                    return
            except AWAY:
                connections.close_all()
    finally:
        connections.close_all()
