"""Recovery policies as JSON."""

from __future__ import annotations

from typing import Any

from foundation.clock import iso
from monitoring.models import PolicyVersion


def policy_view(row: PolicyVersion) -> dict[str, Any]:
    """A version of a policy: its fields, and what is known of the version."""
    return {
        **row.body,
        "mode": row.mode,
        "version": row.version,
        "hash": row.hash,
        "current": row.current,
        "shipped": row.shipped,
        "published_by": row.published_by,
        "published_at": iso(row.published_at),
    }


def versions_of(policy_id: str) -> list[PolicyVersion]:
    """Every version of a policy, the latest first."""
    return list(PolicyVersion.objects.filter(policy_id=policy_id).order_by("-version"))
