"""Requests of the protocol beside calls of tools: who asks, in a thread, in bounded time, and refused as it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST

from foundation.errors import BadInput, NotFound, ZenError
from zen_project.mcp.bounds import SECONDS
from zen_project.mcp.calls import problems_of
from zen_project.mcp.identity import Caller, caller_now
from zen_project.mcp.threads import in_thread

Found = TypeVar("Found")


async def asked(do: Callable[[Caller], Found], **about: object) -> Found:
    """What `do` finds for whoever asks. `about`: told beside a refusal, such as the URI.

    Raises:
        MCPError: what the service, or the caller's token, refuses; it took too long.
    """
    try:
        with anyio.fail_after(SECONDS):
            return await in_thread(lambda: do(caller_now()))
    except ZenError as error:
        raise refusal(error, **about) from error
    except TimeoutError:
        raise MCPError(INTERNAL_ERROR, f"this was not done within {SECONDS:g} s", about or None) from None


def refusal(error: ZenError, **about: object) -> MCPError:
    """A refusal as an error of the protocol: its words, and by field. `about`: told beside."""
    code = INVALID_PARAMS if isinstance(error, BadInput | NotFound) else INVALID_REQUEST
    return MCPError(code, error.in_words(), {"problems": problems_of(error), **about})
