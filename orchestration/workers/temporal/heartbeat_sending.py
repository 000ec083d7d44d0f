"""Sends heartbeats for activities in flight: in the heartbeat process or, when there is none, in the worker."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import AsyncActivityCancelledError, Client
from temporalio.service import RPCError, RPCStatusCode

BEAT_SECONDS = 1.0
PATIENCE = timedelta(seconds=2)
QUIET_SECONDS = 10.0
"""So long may a worker say nothing of itself before only the limit of each activity keeps its heartbeats going."""


@dataclass(slots=True, eq=False)
class Flight:
    """An activity in flight. `until`: when a worker that has gone quiet is not waited for any longer (monotonic)."""

    token: bytes
    began: float
    until: float
    lost: bool = False


class Beats:
    """Gets the worker's messages, and is asked to send once in BEAT_SECONDS. Times are monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.flights: dict[int, Flight] = {}
        self.heard = clock()

    def take(self, message: dict[str, Any]) -> None:
        """A message: {"begin": number, "token": base64, "limit": seconds}, {"end": number}, or {} as a sign of life."""
        self.heard = now = self.clock()
        if "begin" in message:
            token = base64.b64decode(message["token"])
            self.flights[message["begin"]] = Flight(token=token, began=now, until=now + message["limit"])
        if "end" in message:
            self.flights.pop(message["end"], None)

    def due(self) -> list[Flight]:
        """The activities that need a heartbeat now. One that has just begun needs none yet."""
        now = self.clock()
        quiet = now - self.heard > QUIET_SECONDS
        return [
            flight
            for flight in self.flights.values()
            if not flight.lost and now - flight.began >= BEAT_SECONDS / 2 and not (quiet and now > flight.until)
        ]

    async def send(self, client: Client) -> None:
        """Send a heartbeat for each of those that need one."""
        await asyncio.gather(*(_beat(client, flight) for flight in self.due()))


async def _beat(client: Client, flight: Flight) -> None:
    """Send one heartbeat. One that does not reach the server is sent again at the next turn."""
    try:
        await client.get_async_activity_handle(task_token=flight.token).heartbeat(rpc_timeout=PATIENCE)
    except AsyncActivityCancelledError:
        return  # a run asks for that through its rows
    except RPCError as error:
        flight.lost = error.status is RPCStatusCode.NOT_FOUND
