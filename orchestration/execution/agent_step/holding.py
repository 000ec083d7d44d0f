"""An endpoint that is well, leased for as long as the attempt lasts."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from django.db import connections

from foundation.clock import now
from foundation.db.outages import AWAY, heal
from foundation.identity.actor import Actor
from orchestration.agents.claims import Superseded
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
def held(taken: lease.Taken, attempt: lease.Attempt, cancelled: threading.Event) -> Iterator[Stop]:
    """The lease is renewed until the attempt is over, and given back then. Once another worker has the attempt it is
    stopped; a database that is away stops nothing.
    """
    stop, keeper = Stop(cancelled), _Keeper(taken, attempt)
    thread = threading.Thread(target=keeper.renew, args=(stop,), name="agent-lease", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        keeper.over.set()
        thread.join()
        keeper.give_back()


class _Keeper:
    def __init__(self, taken: lease.Taken, attempt: lease.Attempt) -> None:
        self.taken, self.attempt, self.over = taken, attempt, threading.Event()

    def renew(self, stop: Stop) -> None:
        try:
            while not self.over.wait(lease.SECONDS / 3):
                try:
                    if not lease.renew(self.taken.lease_id):
                        self.taken = lease.hold_on(self.taken, self.attempt)
                except Superseded:
                    stop.set()
                    return
                except AWAY:
                    connections.close_all()
        finally:
            connections.close_all()

    def give_back(self) -> None:
        """What cannot be given back lapses: it is not worth the result."""
        try:
            lease.give_back(self.taken.lease_id)
        except AWAY:
            heal()
