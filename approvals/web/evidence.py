from __future__ import annotations

from django.http import HttpRequest

from approvals.api.evidence import evidence_of
from approvals.services import Evidence


def evidence_by_link(request: HttpRequest) -> Evidence:
    """A link can be passed on, so it is weaker than a login, and the vote says so."""
    return evidence_of(request, strength="link")
