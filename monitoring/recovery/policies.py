"""Recovery policies that are in force, and those that came with Zen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max

from foundation.canonical_json import canonical, sha256
from foundation.clock import database_now
from foundation.db.migrated import migrated_at
from foundation.errors import BadInput, NotFound
from monitoring.core.matching import Armed, arm
from monitoring.core.policy import Mode, RecoveryPolicy, from_body
from monitoring.core.shipped import SHIPPED
from monitoring.models import PolicyVersion
from orchestration.core.likeness import nearest

log = logging.getLogger("workflows")

BY_ZEN = "zen"
TABLE_MADE_BY = "0006_policies"


def policies() -> list[PolicyVersion]:
    """The current version of every policy, by priority and id. Shipped ones that were never there are made."""
    rows = list(PolicyVersion.objects.filter(current=True))
    if missing := [one for one in SHIPPED if one.policy_id not in {row.policy_id for row in rows}]:
        known = set(PolicyVersion.objects.filter(shipped=True).values_list("policy_id", flat=True))
        if made := [_shipped(one) for one in missing if one.policy_id not in known]:
            PolicyVersion.objects.bulk_create(made, ignore_conflicts=True)
            rows = list(PolicyVersion.objects.filter(current=True))
    return sorted(rows, key=lambda row: (row.body.get("priority", 100), row.policy_id))


def armed() -> list[Armed]:
    """The policies in force, live and shadow, as rules. What this release cannot read is left out, and logged."""
    return list(_armed(policies()))


def _armed(rows: list[PolicyVersion]) -> Iterator[Armed]:
    for row in rows:
        if row.mode == Mode.OFF:
            continue
        try:
            yield arm(policy_in(row), row.pk, row.published_at, leaves_older=_came_with_zen(row))
        except BadInput as error:
            log.warning("the recovery policy %s is out of force: %s", row.policy_id, error.in_words())


def _came_with_zen(row: PolicyVersion) -> bool:
    """And nobody has published it since."""
    return row.shipped and row.published_by == BY_ZEN and row.published_by_id is None


def policy_in(row: PolicyVersion) -> RecoveryPolicy:
    """The policy that a row holds, in its mode."""
    return from_body({**row.body, "mode": row.mode})


def current(policy_id: str) -> PolicyVersion:
    """The current version of a policy.

    Raises:
        NotFound: there is no such policy, or it was removed.
    """
    rows = policies()
    found = next((row for row in rows if row.policy_id == policy_id), None)
    if found is None:
        close = nearest(policy_id, [row.policy_id for row in rows])
        remedy = f"did you mean '{close}'?" if close else "manage.py recovery policies lists them"
        raise NotFound(f"there is no recovery policy '{policy_id[:60]}'", field="policy_id", remedy=remedy)
    return found


def changed_at() -> datetime | None:
    """When a policy was published or switched last; None if there is none."""
    found: datetime | None = PolicyVersion.objects.filter(current=True).aggregate(at=Max("changed_at"))["at"]
    return found


def unsaved(policy: RecoveryPolicy) -> PolicyVersion:
    """A row for a policy, without number, publisher and moments."""
    body = policy.body()
    mode = body.pop("mode")
    return PolicyVersion(policy_id=policy.policy_id, hash=sha256(canonical(body)), body=body, mode=mode)


def _shipped(policy: RecoveryPolicy) -> PolicyVersion:
    """Published when its table was made: a run that fails before the first pass of a new site is not older than it."""
    row, now = unsaved(policy), database_now()
    row.version, row.shipped, row.published_by, row.changed_at = 1, True, BY_ZEN, now
    row.published_at = migrated_at("monitoring", TABLE_MADE_BY) or now
    return row
