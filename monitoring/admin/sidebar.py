"""The way through the admin: the overview above all that the other apps have."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from approvals.admin import sidebar
from foundation.identity import permissions
from foundation.identity.authentication import actor_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """For unfold's sidebar."""
    groups = sidebar.navigation(request)
    if not permissions.may(actor_of(request.user, door="admin"), "view"):
        return groups
    link = reverse("monitoring-overview")
    item = {"title": "Overview", "icon": "monitoring", "link": link, "active": request.path == link}
    rooms = reverse("project-list")
    projects = {
        "title": "Projects", "icon": "account_tree", "link": rooms, "active": request.path.startswith(rooms),
    }  # fmt: skip
    return [{"items": [item, *groups[0]["items"], projects]}, *groups[1:]]
