"""One event loop and one client per process: the SDK's client belongs to the loop it was made on."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client, RPCTimeoutOrCancelledError
from temporalio.service import RPCError
from temporalio.service import RPCStatusCode as Code

from foundation.errors import Unreachable
from orchestration.engines.temporal.connection_options import ConnectionOptions, connect
from orchestration.engines.temporal.payload_codec import converter

Answer = TypeVar("Answer")
RPC_SECONDS = 5.0
SOON = timedelta(seconds=2)
AWAY = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED, Code.UNKNOWN})
SHUT = frozenset({Code.PERMISSION_DENIED, Code.UNAUTHENTICATED, Code.UNIMPLEMENTED})
BUSY = frozenset({Code.FAILED_PRECONDITION, Code.RESOURCE_EXHAUSTED, Code.ABORTED, Code.INTERNAL})
"""What the server answers while a workflow is just ending, or has much to do: the same call is sent again."""

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_clients: dict[tuple[int, ConnectionOptions, tuple[tuple[str, bytes], ...]], Client] = {}


def options() -> ConnectionOptions:
    """As the settings have it now."""
    return ConnectionOptions(
        address=settings.TEMPORAL_ADDRESS,
        namespace=settings.TEMPORAL_NAMESPACE,
        tls=settings.TEMPORAL_TLS,
        ca=settings.TEMPORAL_TLS_CA,
        cert=settings.TEMPORAL_TLS_CERT,
        key=settings.TEMPORAL_TLS_KEY,
        server_name=settings.TEMPORAL_TLS_SERVER_NAME,
        api_key=settings.TEMPORAL_API_KEY,
    )


def loop() -> asyncio.AbstractEventLoop:
    """This process's background loop, made anew after a fork."""
    with _lock:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=found.run_forever, name="temporal-client", daemon=True).start()
        return found


def call(work: Coroutine[Any, Any, Answer], *, seconds: float = RPC_SECONDS) -> Answer:
    """Run on the loop and wait, at most so many seconds.

    Raises:
        Unreachable: the server does not answer in time, or serves no call of ours now.
        RPCError: the server's answer to this very call, such as NOT_FOUND.
    """
    future = asyncio.run_coroutine_threadsafe(_quiet_when_cancelled(work), loop())
    try:
        return future.result(seconds)
    except FutureTimeout:
        future.cancel()
        raise away("it did not answer in time") from None
    except RPCTimeoutOrCancelledError as error:  # an update's; it is no RPCError
        raise away(str(error)) from None
    except RPCError as error:
        raise unusable(error) or error from None


async def _quiet_when_cancelled(work: Coroutine[Any, Any, Answer]) -> Answer:
    """The SDK raises an error of its own where a call is cancelled; no caller is left to handle it."""
    try:
        return await work
    except RPCTimeoutOrCancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


async def client() -> Client:
    """This process's client. To be awaited on `loop`.

    Raises:
        Unreachable: TEMPORAL_ADDRESS is not set, or the server cannot be reached.
    """
    given = options()
    if not given.address:
        raise Unreachable(
            "TEMPORAL_ADDRESS is not set", field="engine", remedy="set it, such as TEMPORAL_ADDRESS=localhost:7233"
        )
    keys = settings.ZEN_TEMPORAL_CODEC_KEYS
    key = (os.getpid(), given, tuple(keys.items()))
    if key not in _clients:
        try:
            connecting = connect(given, converter=converter(keys, given.namespace))
            _clients[key] = await asyncio.wait_for(connecting, RPC_SECONDS - 1)
        except (RuntimeError, TimeoutError, OSError) as error:
            raise away(str(error)) from None
    return _clients[key]


async def check() -> None:
    """Ask whether the server is healthy and has our namespace. Raises RPCError or Unreachable if not."""
    found = await client()
    await found.service_client.check_health(timeout=SOON)
    await _describe_namespace(found)


async def server_version() -> str:
    """The version of a server that has our namespace. Raises Unreachable, also when the namespace is missing."""
    found = await client()
    info = await found.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=SOON)
    await _describe_namespace(found)
    return str(info.server_version)


async def _describe_namespace(found: Client) -> None:
    asked = DescribeNamespaceRequest(namespace=settings.TEMPORAL_NAMESPACE)
    await found.workflow_service.describe_namespace(asked, timeout=SOON)


def unusable(error: RPCError) -> Unreachable | None:
    """The error that an answer means for all calls now; None when it is about that one call."""
    if _lacks_namespace(error):
        return Unreachable(
            f"the Temporal server has no namespace '{settings.TEMPORAL_NAMESPACE}'",
            field="engine",
            remedy=f"temporal operator namespace create {settings.TEMPORAL_NAMESPACE}",
        )
    if error.status in SHUT:
        return Unreachable(
            f"the Temporal server at {settings.TEMPORAL_ADDRESS} refused the connection "
            f"({error.status.name.lower()}: {_plainly(str(error))})",
            field="engine",
            remedy="see TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the permissions on that server",
        )
    return away(str(error)) if error.status in AWAY | BUSY else None


def _lacks_namespace(error: RPCError) -> bool:
    """A workflow that is not there has the same status."""
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


def away(why: str) -> Unreachable:
    """The error that says that the server cannot be reached."""
    address = settings.TEMPORAL_ADDRESS
    return Unreachable(
        f"the Temporal server at {address} cannot be reached ({_plainly(why)})",
        field="engine",
        remedy="start it, or use --engine celery",
    )


def _plainly(why: str) -> str:
    """The operating system's words, where the SDK wraps them in its own debug output."""
    inner = re.search(r'message: "([^"]+)"', why)
    return inner[1] if inner else why[:200]
