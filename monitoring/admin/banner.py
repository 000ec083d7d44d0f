from __future__ import annotations

from django.http import HttpRequest

from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from monitoring.queries import recovery


def stopped(request: HttpRequest) -> list[str] | None:
    """For the head of every page of the admin: that recovery is stopped on the whole site; None while it goes on."""
    if not permissions.may(actor_of(request.user, door="admin"), "view"):
        return None
    switch = recovery.stopped()
    return [f"Recovery is stopped by {switch.stopped_by}", "danger"] if switch is not None else None
