"""What recovery has done about a run, what it waits for, and why it does no more, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from monitoring.core.matching import Armed, held_off_until, keeps
from monitoring.core.recovery import ladder
from monitoring.core.recovery.actions import doing
from monitoring.models import RecoveryAttempt
from monitoring.queries import recovery
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.history import History, chains_of, histories

MOST_SHOWN = 10


def lines(one: Candidate, armed: list[Armed]) -> list[str]:
    """The latest attempts, then why the policies that match do nothing more; [] where recovery has nothing to do."""
    facts = one.facts
    rows = list(recovery.attempts(run=facts.workflow_id)[:MOST_SHOWN])[::-1]
    found = [recovery.sentence(row) for row in rows]
    if any(row.state in RecoveryAttempt.OPEN for row in rows) or not one.matched:
        return found
    chain = chains_of({facts.run_id: facts.workflow_id})[facts.run_id]
    known, keeper = histories([chain]), keeps(armed, one.matched, facts.now)
    for policy in armed:
        if policy.policy_id in one.matched:
            history = known.get((chain, policy.policy_id, policy.shadow)) or History()
            found += [f"{policy.policy_id}: {why}" for why in _why_not(one, policy, history, keeper)]
    return found


def _why_not(one: Candidate, armed: Armed, history: History, keeper: Armed | None) -> Iterator[str]:
    policy = armed.policy
    if settings.ZEN_RECOVERY != "on":
        yield "recovery is off (ZEN_RECOVERY)"
        return
    if armed.leaves_to_people(one.since):
        yield "it came with Zen later than this trouble, which is left to people (recovery publish lets it act)"
        return
    free = held_off_until(policy, one.matched[armed.policy_id])
    if free > one.facts.now:
        yield f"holds off until {free:%H:%M:%S}"
        return
    if keeper is not None and policy.priority > keeper.policy.priority:
        yield f"{keeper.policy_id} goes first (priority {keeper.policy.priority} before {policy.priority})"
        return
    found = ladder.next_of(
        policy.recovery_actions, policy.max_recovery_attempts, spent=history.spent, told=history.told,
        legal=lambda action: doing(action, one.facts).refusal,
    )  # fmt: skip
    if found.exhausted:
        yield f"all {policy.max_recovery_attempts} attempts are spent (recovery reset gives them back)"
    elif found.action is None:
        yield from (f"{action}: {why}" for action, why in found.passed)
    elif armed.shadow:
        yield f"would {found.action}, and is in shadow"
