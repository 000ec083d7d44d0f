"""How a caller was known, as far as a door can tell."""

from __future__ import annotations

from typing import Any

from approvals.services import Evidence

LONGEST_CLIENT = 300


def evidence_of(request: Any, *, strength: str = "") -> Evidence:
    """`request`: Django's or REST framework's."""
    token = getattr(request, "auth", None)
    how = strength or ("token" if token is not None else "session")
    detail = {
        "address": request.META.get("REMOTE_ADDR", ""),
        "client": request.META.get("HTTP_USER_AGENT", "")[:LONGEST_CLIENT],
    }
    return Evidence(strength=how, detail={key: value for key, value in detail.items() if value})
