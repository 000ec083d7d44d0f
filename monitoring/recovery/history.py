"""What recovery has done to runs before: which rungs are spent, what was told, and which chain of restarts it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.core.enums import RecoveryAction
from monitoring.models import RecoveryAttempt
from monitoring.recovery.records import RESTARTED, restart_id
from orchestration.runs.acts import restarted_as

_RESTARTED = re.compile(rf"~{RESTARTED}(\d{{1,15}})$")


@dataclass(slots=True)
class History:
    """Of a policy on a chain of runs. `spent`: rungs; `acted_at`: of the last attempt, None before the first."""

    spent: set[int] = field(default_factory=set)
    told: set[RecoveryAction] = field(default_factory=set)
    acted_at: datetime | None = None
    exhausted: bool = False

    @property
    def number(self) -> int:
        """Attempts so far."""
        return len(self.spent)


Histories = Mapping[tuple[int, str, bool], History]
"""By chain, policy and whether it is what a shadow would have done."""


def chains_of(runs: Mapping[int, str]) -> dict[int, int]:
    """{run: the first run of its chain of restarts by recovery}, of {run: its workflow_id}. Two queries at most."""
    began = dict(
        RecoveryAttempt.objects.filter(new_workflow_id__in=list(runs.values()), chain__gt=0)
        .exclude(policy_id="")
        .values_list("new_workflow_id", "chain")
    )
    began |= _chains_by_name([name for name in runs.values() if name not in began])
    return {pk: began.get(name, pk) for pk, name in runs.items()}


def _chains_by_name(names: Iterable[str]) -> dict[str, int]:
    """The same by the ids of the runs: whoever restarted them may have died before it could say so."""
    attempts = {name: int(found[1]) for name in names if (found := _RESTARTED.search(name))}
    if not attempts:
        return {}
    rows = RecoveryAttempt.objects.filter(pk__in=attempts.values(), chain__gt=0, action=RecoveryAction.RESTART)
    before = {row.pk: row for row in rows.exclude(policy_id="").select_related("run")}
    return {
        name: row.chain
        for name, pk in attempts.items()
        if (row := before.get(pk)) is not None and name == restarted_as(row.run.workflow_id, restart_id(row))
    }


def histories(chains: Iterable[int]) -> Histories:
    """What policies have done on these chains. One query.

    An attempt that something overtook before it acted spends nothing; one that was refused does, so that a policy never
    asks again and again.
    """
    found: dict[tuple[int, str, bool], History] = defaultdict(History)
    rows = RecoveryAttempt.objects.filter(chain__in=set(chains)).exclude(policy_id="").order_by("pk")
    for row in rows.only(
        "chain", "policy_id", "state", "number", "action", "rung", "decided_at", "acted_at", "exhausted"
    ):
        one = found[row.chain, row.policy_id, row.state == RecoveryAttempt.SHADOW]
        if row.number == 0:
            one.told.add(RecoveryAction(row.action))
            one.exhausted = one.exhausted or row.exhausted
        elif row.rung is not None and not (row.state == RecoveryAttempt.OVERTAKEN and row.acted_at is None):
            one.spent.add(row.rung)
            one.acted_at = row.acted_at or row.decided_at
    return found


def restarted(run_ids: Iterable[int]) -> set[int]:
    """Those of these runs that recovery has restarted: what is to be done concerns the run that took their place."""
    rows = RecoveryAttempt.objects.filter(run_id__in=list(run_ids)).exclude(new_workflow_id="")
    return set(rows.values_list("run_id", flat=True))
