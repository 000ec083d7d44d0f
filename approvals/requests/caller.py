"""Who calls, as far as a door over HTTP can tell. Kept with the vote, under the same keys at every door."""

from __future__ import annotations

from typing import Any

from approvals.requests.decide import Evidence

LONGEST_CLIENT = 300
LONGEST_CLAIM = 200


def evidence_of(request: Any, *, strength: str = "", **more: Any) -> Evidence:
    """The evidence of a request of Django or REST framework. `strength`: how the person was known.

    Without one it is "session" or "token". `address` is the connection's own; `client` (User-Agent) and `forwarded_for`
    are claims of the caller or of a proxy. `more` is stored beside them.
    """
    how = strength or ("session" if getattr(request, "auth", None) is None else "token")
    said = {
        "address": request.META.get("REMOTE_ADDR", ""),
        "client": request.META.get("HTTP_USER_AGENT", "")[:LONGEST_CLIENT],
        "forwarded_for": request.META.get("HTTP_X_FORWARDED_FOR", "")[:LONGEST_CLAIM],
    }
    return Evidence(strength=how, detail={key: value for key, value in said.items() if value} | more)
