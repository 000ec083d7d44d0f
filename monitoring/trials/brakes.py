"""What would put an attempt off now: recovery that is stopped, an open circuit, the budget of an hour, a storm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation.clock import database_now
from monitoring.core import durations
from monitoring.core.enums import RecoveryAction
from monitoring.core.facts import RunFacts
from monitoring.core.matching import Armed
from monitoring.models import Circuit, RecoveryAttempt, RecoverySwitch, Storm

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Brakes:
    """As they are for a policy. `acted`: its attempts of the last hour; `open_circuits`: {target:action: until}."""

    policy_id: str
    most: int
    stopped_by: str
    acted: int
    open_circuits: dict[str, datetime]
    storms: frozenset[str]

    def waits(self, facts: RunFacts, action: RecoveryAction, before: int) -> str | None:
        """What an attempt would wait for, in words; None: nothing. `before`: runs that are before it."""
        target = next((step.host or step.handler for step in facts.troubled if step.host or step.handler), "")
        if self.stopped_by:
            return f"recovery is stopped by {self.stopped_by}"
        until = self.open_circuits.get(f"{self.policy_id}:{target}:{action.value}")
        if until is not None:
            return f"most attempts at {target} did not work: none before {durations.clock(until)}"
        if target in self.storms:
            return f"many runs fail at {target}: recovery tries one at a time"
        if self.acted + before >= self.most:
            return f"{self.acted + before} are before it, and the policy may {self.most} an hour"
        return None


def brakes_of(armed: Armed) -> Brakes:
    """The brakes as they are now for a policy. Four queries."""
    now, policy_id = database_now(), armed.policy_id
    switch = RecoverySwitch.objects.first()
    circuits = Circuit.objects.filter(key__startswith=f"{policy_id}:", open_until__gt=now)
    return Brakes(
        policy_id=policy_id, most=armed.policy.max_per_hour, stopped_by=switch.stopped_by if switch else "",
        acted=RecoveryAttempt.objects.filter(policy_id=policy_id, acted_at__gt=now - HOUR).count(),
        open_circuits={row.key: row.open_until for row in circuits if row.open_until is not None},
        storms=frozenset(Storm.objects.values_list("target", flat=True)),
    )  # fmt: skip
