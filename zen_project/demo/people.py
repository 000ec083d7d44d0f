"""The first accounts of a site that has none: an administrator, one who asks, and two who decide."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from orchestration import roles

FIRST = {"ada": roles.OPERATOR, "bob": roles.APPROVER, "carol": roles.APPROVER}


def first_people() -> dict[str, str]:
    """Name → password, shown this once; nobody, and nothing done, where there are accounts."""
    users = get_user_model().objects
    if users.exists():
        return {}
    made = {name: secrets.token_urlsafe(12) for name in ("admin", *FIRST)}
    admin = users.create_superuser("admin", "admin@localhost", made["admin"])
    # A superuser has the rights anyway; a policy that names the group means whoever is in it.
    admin.groups.add(Group.objects.get_or_create(name=roles.ADMINISTRATOR)[0])
    for name, role in FIRST.items():
        user = users.create_user(name, f"{name}@localhost", made[name], is_staff=True)
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return made
