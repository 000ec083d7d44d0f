"""The first accounts of a site that has none: an administrator, one who asks, and two who decide."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from foundation.identity import permissions
from foundation.identity.actor import CONSOLE_ROLES, Actor

FIRST = {"ada": permissions.OPERATOR, "bob": permissions.APPROVER, "carol": permissions.APPROVER}

ME = Actor(name="demo", door="console", roles=CONSOLE_ROLES)
"""Who acts in the demonstration."""


def first_people() -> dict[str, str]:
    """{name: password}, shown this once; {} where there are accounts already, and then nothing is done."""
    users = get_user_model().objects
    if users.exists():
        return {}
    made = {name: secrets.token_urlsafe(12) for name in ("admin", *FIRST)}
    admin = users.create_superuser("admin", "admin@localhost", made["admin"])
    # A superuser has the rights anyway; a policy that names the group means its members.
    admin.groups.add(Group.objects.get_or_create(name=permissions.ADMINISTRATOR)[0])
    for name, role in FIRST.items():
        user = users.create_user(name, f"{name}@localhost", made[name], is_staff=True)
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return made
