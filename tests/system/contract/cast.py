"""People who decide."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.requests import decide
from foundation.identity import permissions
from foundation.identity.actor import Actor


def account(name: str, *groups: str, email: str = "") -> Any:
    """An account in these groups; the role approver unless a role is among them."""
    users = get_user_model().objects
    user = users.filter(username=name).first() or users.create_user(
        name, email or f"{name}@example.com", "pw-of-" + name
    )
    wanted = groups if set(groups) & set(permissions.ROLES) else (permissions.APPROVER, *groups)
    for group in wanted:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def actor(user: Any, door: str = "python") -> Actor:
    return Actor(name=user.get_username(), door=door, roles=permissions.roles_of(user), user_id=user.pk)


def says(name: str, choice: str, request: Request | str, comment: str = "because", **more: Any) -> Request:
    """As from a page that has just been loaded, unless `seen` says otherwise."""
    user = get_user_model().objects.get(username=name)
    if "seen" not in more:
        more["seen"] = Request.objects.values_list("shown_hash", flat=True).get(request_id=str(request))
    return decide(
        request_id=str(request), actor=actor(user), person=person_of(user), choice=choice, comment=comment, **more
    )
