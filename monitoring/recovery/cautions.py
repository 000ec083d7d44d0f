"""What is doubtful about a policy on this site: told, and no reason to refuse it."""

from __future__ import annotations

from typing import Any

from approvals.models import Policy
from approvals.policies.publish import STANDARD
from foundation.clock import iso
from monitoring.core.policy import RecoveryPolicy
from monitoring.core.policy_cautions import policy_cautions
from monitoring.models import PolicyVersion
from monitoring.queries.policies import policy_view, versions_of
from monitoring.recovery.policies import policy_in
from orchestration.runs.queries import nobody_hears


def cautions_of(policy: RecoveryPolicy) -> list[str]:
    """Sentences: what it probably does not mean, and names that mean nothing here yet."""
    found = [*policy_cautions(policy), *nobody_hears(list(policy.notification_channels))]
    name = policy.approval_policy
    asks = set(policy.acting) & set(policy.needs_approval)
    if asks and name != STANDARD and not Policy.objects.filter(name=name, published=True).exists():
        found.append(f"there is no approval policy '{name}', which {', '.join(sorted(asks))} would be asked under")
    return found


def full_view(row: PolicyVersion) -> dict[str, Any]:
    """A version of a policy as JSON, with what is doubtful about it and its other versions, the latest first."""
    others = [
        {
            "version": one.version, "hash": one.hash, "current": one.current, "published_by": one.published_by,
            "published_at": iso(one.published_at),
        }
        for one in versions_of(row.policy_id)
    ]  # fmt: skip
    return {**policy_view(row), "warnings": cautions_of(policy_in(row)), "versions": others}
