"""What the Temporal server keeps of single runs: whether it knows them, and how long their histories are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.service import RPCError, RPCStatusCode

from orchestration.engines.temporal import connection

A_SECOND = 5
"""Questions a second: the server has more to do than to answer them."""

MOST_EVENTS = 51_200
"""At which a Temporal server ends a run, unless it is configured otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`known`: the server has a workflow of this run; `history`: its events."""

    known: bool
    history: int = 0


def describe(workflow_ids: Sequence[str]) -> dict[str, Kept]:
    """{run's handle: what the server keeps of it}, five a second; what it did not answer is left out.

    Raises:
        Unreachable: the server is away.
    """
    seconds = connection.RPC_SECONDS + len(workflow_ids) * (1 / A_SECOND + connection.RPC_SECONDS)
    return connection.call(_all(workflow_ids), seconds=seconds)


async def _all(workflow_ids: Sequence[str]) -> dict[str, Kept]:
    client, found = await connection.client(), {}
    for place, workflow_id in enumerate(workflow_ids):
        if place:
            await asyncio.sleep(1 / A_SECOND)
        try:
            told = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=connection.SOON)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                continue
            found[workflow_id] = Kept(known=False)
        else:
            found[workflow_id] = Kept(known=True, history=told.history_length)
    return found
