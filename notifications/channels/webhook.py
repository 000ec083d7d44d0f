"""A JSON POST to a channel's URL. Redirects are not followed; of the answer only the status counts."""

from __future__ import annotations

import httpx2

from foundation.outbound.retry_after import retry_after
from foundation.outbound.transport import NO_ANSWER, GuardedTransport
from notifications.channels.envelope import Envelope, Outcome, of_status
from notifications.channels.targets import is_http

TIMEOUT = httpx2.Timeout(15)


def send(parcel: Envelope) -> Outcome:
    if not is_http(parcel.target):
        return Outcome(error="the target is no http(s) URL once its secrets are filled in", permanent=True)
    with httpx2.Client(transport=GuardedTransport(), timeout=TIMEOUT, follow_redirects=False) as client:
        try:
            with client.stream("POST", parcel.target, json=_body(parcel)) as response:
                status, wish = response.status_code, retry_after(response.headers)
        except NO_ANSWER as error:
            return Outcome(error=f"no answer: {error or type(error).__name__}")
        except httpx2.InvalidURL as error:
            return Outcome(error=f"the target cannot be called: {error}", permanent=True)
    if 200 <= status < 300:
        return Outcome()
    return of_status(status, "redirects are not followed" if 300 <= status < 400 else "refused", wish)


def _body(parcel: Envelope) -> dict[str, object]:
    (item,) = parcel.items
    return {
        "id": parcel.id,
        "subject": item.subject,
        "kind": parcel.kind,
        "title": item.title,
        "text": item.text,
        "url": item.url,
    }
