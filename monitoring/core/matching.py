"""Which policies a run matches, since when, and when that may change by the clock alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.core.conditions import Condition, Metrics, could_match, matches, names, next_change
from monitoring.core.facts import RunFacts
from monitoring.core.policy import Mode, RecoveryPolicy


@dataclass(frozen=True, slots=True)
class Armed:
    """A policy that is in force, its condition read. `version_id`: the row that it is from; 0 of one that has none.

    `published_at`: since when; a run matches it since then at the earliest. `leaves_older`: it came with Zen, and
    leaves to people what was in trouble before it came.
    """

    policy: RecoveryPolicy
    condition: Condition
    version_id: int = 0
    published_at: datetime | None = None
    leaves_older: bool = False

    @property
    def policy_id(self) -> str:
        """Of the policy."""
        return self.policy.policy_id

    def leaves_to_people(self, since: datetime | None) -> bool:
        """Whether it does nothing about a trouble that is there since then: an upgrade mends nothing by itself."""
        if not self.leaves_older or since is None or self.published_at is None:
            return False
        return since < self.published_at

    @property
    def shadow(self) -> bool:
        """Whether it only writes down what it would have done."""
        return self.policy.mode == Mode.SHADOW


def arm(
    policy: RecoveryPolicy, version_id: int = 0, published_at: datetime | None = None, *, leaves_older: bool = False
) -> Armed:
    """The policy with its condition read."""
    return Armed(policy, policy.condition(), version_id, published_at, leaves_older)


@dataclass(frozen=True, slots=True)
class Matched:
    """`since`: {policy_id: since when it matches}. `look_at`: when that, or a hold-off, may be over; None: never."""

    since: Mapping[str, datetime]
    look_at: datetime | None


def match_all(armed: Sequence[Armed], facts: RunFacts, metrics: Metrics, before: Mapping[str, datetime]) -> Matched:
    """What a run matches at `metrics.now`. `before`: what it matched at the last look."""
    since: dict[str, datetime] = {}
    moments: list[datetime] = []
    for one in armed:
        if not one.policy.applies_to(facts.kind, facts.saga_id):
            continue
        if matches(one.condition, metrics):
            known = before.get(one.policy_id, metrics.now)
            since[one.policy_id] = max(known, one.published_at) if one.published_at is not None else known
            moments.append(held_off_until(one.policy, since[one.policy_id]))
        upcoming = next_change(one.condition, metrics)
        if upcoming is not None:
            moments.append(upcoming)
    return Matched(since, min((moment for moment in moments if moment > metrics.now), default=None))


def due(armed: Sequence[Armed], matched: Mapping[str, datetime], now: datetime) -> list[Armed]:
    """The policies whose turn it is, in turn: they match, have done so for their hold-off, and none keeps the run."""
    keeper = keeps(armed, matched, now)
    found = [
        one
        for one in armed
        if one.policy_id in matched
        and held_off_until(one.policy, matched[one.policy_id]) <= now
        and (keeper is None or one.policy.priority <= keeper.policy.priority)
    ]
    return sorted(found, key=_turn)


def keeps(armed: Sequence[Armed], matched: Mapping[str, datetime], now: datetime) -> Armed | None:
    """The live policy that holds off and meanwhile keeps the run from those with a higher priority number, if any."""
    waiting = [
        one
        for one in armed
        if one.policy_id in matched
        and not one.shadow
        and held_off_until(one.policy, matched[one.policy_id]) > now
    ]  # fmt: skip
    return min(waiting, key=_turn, default=None)


def _turn(one: Armed) -> tuple[int, str]:
    return one.policy.priority, one.policy_id


def held_off_until(policy: RecoveryPolicy, since: datetime) -> datetime:
    """Until when nothing is done about a run that matches since then."""
    return since + timedelta(seconds=policy.hold_off_seconds)


def asked_for(armed: Sequence[Armed]) -> frozenset[str]:
    """The metrics that any of them asks for."""
    return frozenset().union(*(names(one.condition) for one in armed))


def may_match_completed(armed: Sequence[Armed]) -> bool:
    """Whether any could match a run that completed without anything of note, whatever its other figures are."""
    values = {"status": "completed", "health": "healthy", "issue": frozenset[str](), "cause": None, "error_class": None}
    return any(could_match(one.condition, values) for one in armed)
