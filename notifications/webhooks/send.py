"""One attempt: a signed POST through the guarded transport, and what came of it. Touches no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import httpx2

from foundation.clock import now
from foundation.errors import ZenError
from foundation.outbound.retry_after import retry_after
from foundation.outbound.transport import NO_ANSWER, begin, client
from foundation.secrets.redaction import head
from notifications.models import Callback
from notifications.webhooks.addresses import usable
from notifications.webhooks.keys import keys_of
from notifications.webhooks.signatures import signature

SECONDS = 20.0
READ_BYTES, QUOTED = 2_000, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How an attempt ended. `status`: of the HTTP answer, None without one."""

    status: int | None = None
    error: str = ""
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(row: Callback) -> Reply:
    """Bounded in time and in what is read of the answer; redirects are not followed."""
    body = row.payload.encode()
    try:
        url = usable(row.endpoint.url)  # the setting that allowed it may have changed
        headers = _headers(row, body, now())
    except ZenError as error:
        return Reply(error=error.message)
    begin(SECONDS)
    try:
        request = client().build_request("POST", url, headers=headers, content=body)
        response = client().send(request, stream=True, follow_redirects=False)
        try:
            return _reply(response)
        finally:
            response.close()
    except NO_ANSWER as error:
        return Reply(error=_clean(f"no answer: {error or type(error).__name__}"))


def broken(error: Exception) -> Reply:
    """What comes of an attempt that a bug of ours ended: another one is made."""
    return Reply(error=_clean(f"{type(error).__name__}: {error}"))


def _headers(row: Callback, body: bytes, at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    keys = keys_of(row.endpoint, at)
    return {
        "content-type": "application/json",
        "user-agent": "zen-callbacks",
        "webhook-id": row.webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(webhook_id=row.webhook_id, timestamp=timestamp, body=body, keys=keys),
    }


def _reply(response: httpx2.Response) -> Reply:
    status = response.status_code
    if 200 <= status < 300:
        return Reply(status=status)
    said = "redirects are not followed" if 300 <= status < 400 else _said(response)
    wish = retry_after(response.headers)
    return Reply(status=status, error=_clean(f"it answered {status}: {said}"), retry_after=wish)


def _said(response: httpx2.Response) -> str:
    """The beginning of the body as it came, never unpacked."""
    read = b""
    try:
        for chunk in response.iter_raw():
            read += chunk
            if len(read) >= READ_BYTES:
                break
    except NO_ANSWER:
        pass  # the status stands by itself
    return head(read[:READ_BYTES].decode(errors="replace"), QUOTED, is_whole=len(read) < READ_BYTES)


def _clean(text: str) -> str:
    """PostgreSQL keeps no NUL."""
    return head(text, 2 * QUOTED).replace("\0", "\N{REPLACEMENT CHARACTER}")
