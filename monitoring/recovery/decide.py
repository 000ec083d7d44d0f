"""In the watch's pass: end what is over, and decide what is done about the runs that were just judged."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from foundation.clock import iso
from monitoring.core.conditions import why
from monitoring.core.enums import RecoveryAction
from monitoring.core.health import Issue
from monitoring.core.matching import Armed, due
from monitoring.core.recovery import brakes, ladder, storm
from monitoring.core.recovery.actions import Doing, doing
from monitoring.models import RecoveryAttempt
from monitoring.recovery import records, storms, telling, verdicts
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.history import Histories, History, chains_of, histories, restarted

log = logging.getLogger("workflows")


def decide(found: Sequence[Candidate], armed: Sequence[Armed], now: datetime) -> None:
    """Settle the open attempts of these runs and decide new ones, in the caller's writing transaction.

    One attempt of a run is open at most; the policy with the lowest priority number has it.
    """
    open_ones = verdicts.settle(found, armed, now)
    if settings.ZEN_RECOVERY != "on":
        return
    storms.notice({target for one in found for target in _hit(one, now)}, now)
    turns = {one.facts.run_id: _due(armed, one, now) for one in found if one.facts.run_id not in open_ones}
    wanted = sorted((one for one in found if turns.get(one.facts.run_id)), key=lambda one: one.facts.run_id)
    over = restarted([one.facts.run_id for one in wanted]) if wanted else set()
    wanted = [one for one in wanted if one.facts.run_id not in over]
    if not wanted:
        return
    chains = chains_of({one.facts.run_id: one.facts.workflow_id for one in wanted})
    known = histories(chains.values())
    for one in wanted:
        chain = chains[one.facts.run_id]
        for policy in turns[one.facts.run_id]:
            attempt = _Decision(one, policy, chain, known, now).made()
            if attempt is not None and attempt.state in RecoveryAttempt.OPEN:
                break


def _due(armed: Sequence[Armed], one: Candidate, now: datetime) -> list[Armed]:
    return [policy for policy in due(armed, one.matched, now) if not policy.leaves_to_people(one.since)]


def _hit(one: Candidate, now: datetime) -> Iterator[str]:
    """The targets at which the run has just got stuck."""
    stuck = {step.step_id for step in one.facts.troubled if step.blocked or step.open_undo}
    for issue in one.health.issues:
        if issue.step_id in stuck and issue.since > now - storm.WITHIN:
            yield issue.target


@dataclass(frozen=True, slots=True)
class _Decision:
    one: Candidate
    armed: Armed
    chain: int
    known: Histories
    now: datetime

    @property
    def history(self) -> History:
        return self.known.get((self.chain, self.armed.policy_id, self.armed.shadow)) or History()

    def made(self) -> RecoveryAttempt | None:
        """The attempt that the policy makes now; None where it has nothing to do."""
        policy, history = self.armed.policy, self.history
        if history.exhausted:
            return None
        doings = {action: doing(action, self.one.facts) for action in policy.acting}
        found = ladder.next_of(
            policy.recovery_actions, policy.max_recovery_attempts, spent=history.spent, told=history.told,
            legal=lambda action: doings[action].refusal,
        )  # fmt: skip
        if not self.armed.shadow:
            self._tell(found)
        if found.action is None or found.rung is None:
            return None
        free_at = self._free_at()
        if self.armed.shadow and free_at > self.now:
            return None  # no attempt of a shadow is open, so none would show the pause
        return self._stored(found.action, found.rung, doings[found.action], free_at)

    def _tell(self, found: ladder.Next) -> None:
        exhausted = found.exhausted and RecoveryAction.ESCALATE not in found.tell
        for action in (*found.tell, *((RecoveryAction.ESCALATE,) if exhausted else ())):
            telling.tell(
                self.one,
                self.armed,
                self.chain,
                action,
                self.now,
                exhausted=found.exhausted,
                aloud=action in found.tell,
            )

    def _free_at(self) -> datetime:
        history, policy = self.history, self.armed.policy
        if history.acted_at is None:
            return self.now
        seed = f"{self.chain}:{policy.policy_id}"
        return brakes.cooldown_until(history.acted_at, history.number, policy.cooldown_seconds, seed)

    def _stored(self, action: RecoveryAction, rung: int, done: Doing, free_at: datetime) -> RecoveryAttempt | None:
        facts, policy, history = self.one.facts, self.armed.policy, self.history
        issue = about(self.one, done)
        attempt = RecoveryAttempt(
            run_id=facts.run_id, chain=self.chain, policy_id=policy.policy_id, version_id=self.armed.version_id,
            number=history.number + 1, of=policy.max_recovery_attempts, rung=rung, action=action.value,
            acts=acts_of(done), facts=why(self.armed.condition, self.one.metrics), run_version=facts.version,
            actor=records.policy_actor(policy.policy_id).name, decided_at=self.now, lease_until=self.now,
            state=RecoveryAttempt.DECIDED, **concerns(issue, facts.saga_id, facts.status.value),
        )  # fmt: skip
        if self.armed.shadow:
            attempt.state, attempt.ended_at, attempt.lease_until = RecoveryAttempt.SHADOW, self.now, None
            attempt.verdict = "would have been done"
        elif free_at > self.now:
            attempt.lease_until, attempt.brake = free_at, "cooldown"
            attempt.waits = f"its pause after attempt {history.number} lasts until {free_at:%H:%M:%S}"
        try:
            with transaction.atomic():
                records.store(attempt, facts.workflow_id)
        except IntegrityError:
            return None  # another watcher has decided at this moment
        log.debug("%s: %s decides %s (%s)", facts.workflow_id, attempt.actor, action.value, iso(self.now))
        return attempt


def about(one: Candidate, done: Doing) -> Issue | None:
    """The issue that the acts are about: the worst of their step, else the worst."""
    step_id = next((act.step_id for act in done.acts if act.step_id), "")
    return (one.issue(step_id=step_id) if step_id else None) or one.issue()


def concerns(issue: Issue | None, saga_id: str, status: str) -> dict[str, Any]:
    """What an attempt keeps of its issue."""
    if issue is None:
        return {"reason": f"the run is {status}", "target": saga_id[:100]}
    return {"issue": issue.code, "step_id": issue.step_id, "target": issue.target, "reason": issue.sentence}


def acts_of(done: Doing) -> list[dict[str, str]]:
    """As they are stored."""
    return [{"verb": str(act.verb), "step_id": act.step_id, "cause": act.cause} for act in done.acts]
