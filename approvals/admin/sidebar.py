"""The way through the admin: the inbox first, with what waits in it, then the rooms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from approvals.waiting import waiting_number
from orchestration import roles
from orchestration.api.auth import actor_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """For unfold's sidebar."""
    groups = [
        {
            "title": app["name"],
            "items": [
                {"title": model["name"], "link": model["admin_url"], "active": _is_here(request, model["admin_url"])}
                for model in app["models"]
            ],
        }
        for app in admin.site.get_app_list(request)
    ]
    return (
        [{"items": [_inbox(request)]}, *groups] if roles.may(actor_of(request.user, door="admin"), "view") else groups
    )


def _inbox(request: HttpRequest) -> dict[str, Any]:
    link, number = reverse("admin:approvals-inbox"), waiting_number(request.user)
    item = {"title": "Inbox", "icon": "inbox", "link": link, "active": request.path.startswith(link)}
    return item | ({"badge": Waiting(number), "badge_variant": "primary"} if number else {})


def _is_here(request: HttpRequest, link: str) -> bool:
    return request.path.startswith(link) and not request.path.startswith(reverse("admin:approvals-inbox"))


class Waiting:
    """Not a str, which the theme would try to import."""

    def __init__(self, number: str) -> None:
        self.number = number

    def __str__(self) -> str:
        return self.number
