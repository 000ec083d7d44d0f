"""The groups that orchestration makes, by name: this room may not import it, and needs no more than the names."""

from __future__ import annotations

from typing import Any

ADMINISTRATOR = "administrator"
ROLES = ("viewer", "operator", "approver", ADMINISTRATOR)
MAY_RESEND = frozenset({"operator", ADMINISTRATOR})


def roles_of(user: Any) -> frozenset[str]:
    """None for an anonymous or inactive user; a superuser is an administrator."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset({ADMINISTRATOR})
    return frozenset(user.groups.filter(name__in=ROLES).values_list("name", flat=True))
