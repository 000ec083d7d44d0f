"""The way through the admin: the inbox first, with what waits in it, then the rooms."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from approvals.queries.inbox import waiting_number
from foundation.identity import permissions
from foundation.identity.authentication import actor_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """For unfold's sidebar."""
    groups = [{"title": room.verbose_name, "items": _items(request, room)} for room in apps.get_app_configs()]
    groups = sorted((group for group in groups if group["items"]), key=lambda group: str(group["title"]))
    return (
        [{"items": [_inbox(request)]}, *groups]
        if permissions.may(actor_of(request.user, door="admin"), "view")
        else groups
    )


def _items(request: HttpRequest, room: AppConfig) -> list[dict[str, Any]]:
    """One question per model: the site's own list of them asks five, and is made for the page anyway."""
    found = []
    for model in filter(admin.site.is_registered, room.get_models()):
        door = admin.site.get_model_admin(model)
        if door.has_view_permission(request):
            link = reverse(f"admin:{room.label}_{door.opts.model_name}_changelist")
            title = str(door.opts.verbose_name_plural).capitalize()
            found.append({"title": title, "link": link, "active": _is_here(request, link)})
    return sorted(found, key=lambda item: str(item["title"]))


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
