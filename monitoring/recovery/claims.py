"""Which decided attempts may act now: under one lock, so that no budget is exceeded, whoever asks at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from approvals.core.enums import OPEN
from approvals.models import Request
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from monitoring.core.recovery import brakes, storm
from monitoring.models import Circuit, PolicyVersion, RecoveryAttempt, RecoverySwitch, RunHealth, Storm
from monitoring.recovery import records, storms

LEASE = timedelta(seconds=10)
"""An attempt that its worker has not brought further by then is taken up by another."""

MOST_AT_ONCE = 20

GIVEN_UP_AFTER = timedelta(hours=25)
"""Longer than any restart waits for the end of its run (verify_seconds)."""

ASK_AGAIN = timedelta(seconds=2)
SOONEST, LATEST, SHARE = timedelta(seconds=1), timedelta(seconds=30), 0.1
"""An attempt that waits for its verdict is looked at again after a tenth of the time since it acted."""


@dataclass(slots=True)
class _Pass:
    now: datetime
    acted: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    taken: list[RecoveryAttempt] = field(default_factory=list)

    @property
    def of_site(self) -> list[datetime]:
        return [at for times in self.acted.values() for at in times]


def claim(now: datetime) -> list[RecoveryAttempt]:
    """Attempts to act on now, in the state `acting` under a lease: new ones, and those whose worker was lost."""
    with statements.writing():
        statements.run(*lock_by_name("recovery:claim"))
        lost = _due(now).filter(state=RecoveryAttempt.ACTING)
        found = [row for row in lost[:MOST_AT_ONCE] if not _given_up(row, now) and _leased(row, now)]
        if RecoverySwitch.objects.exists():
            return found
        found += [row for row in answered(now) if _take_answered(row, now)]
        one = _Pass(now=now)
        for policy_id, at in (
            RecoveryAttempt.objects.filter(acted_at__gt=now - brakes.HOUR, storm=False)
            .exclude(policy_id="")
            .values_list("policy_id", "acted_at")
        ):
            if at is not None:
                one.acted[policy_id].append(at)
        stormy = list(Storm.objects.select_for_update(no_key=True).order_by("target"))
        reckless = _without_canary()
        for row in stormy:
            _claim_of_storm(row, one, reckless)
        names = [row.target for row in stormy]
        waiting = _due(now).filter(~Q(target__in=names) | Q(policy_id__in=reckless), state=RecoveryAttempt.DECIDED)
        _put_off(waiting, one)
        for attempt in waiting[:MOST_AT_ONCE]:
            _claim_one(attempt, one)
        return [*found, *one.taken]


def pause(waited: timedelta) -> timedelta:
    """Until an attempt that acted so long ago is looked at again."""
    return min(max(SHARE * waited, SOONEST), LATEST)


def answered(now: datetime) -> list[RecoveryAttempt]:
    """Attempts whose approval has ended; the others are asked about again in a moment."""
    rows = list(_due(now).filter(state=RecoveryAttempt.AWAITING)[:MOST_AT_ONCE])
    ended = set(
        Request.objects.filter(request_id__in=[row.approval for row in rows])
        .exclude(status__in=OPEN)
        .values_list("request_id", flat=True)
    )
    waiting = [row.pk for row in rows if row.approval not in ended]
    RecoveryAttempt.objects.filter(pk__in=waiting, state=RecoveryAttempt.AWAITING).update(lease_until=now + ASK_AGAIN)
    return [row for row in rows if row.approval in ended]


def _take_answered(attempt: RecoveryAttempt, now: datetime) -> bool:
    """People have answered, so no budget holds it back; whether they said yes is asked before it acts."""
    return records.move(attempt, RecoveryAttempt.ACTING, now, lease_until=now + LEASE, acted_at=now, waits="", brake="")


def _due(now: datetime) -> QuerySet[RecoveryAttempt]:
    found = RecoveryAttempt.objects.filter(state__in=RecoveryAttempt.OPEN, lease_until__lte=now)
    return found.select_related("run", "run__definition").order_by("lease_until", "pk")


def _given_up(attempt: RecoveryAttempt, now: datetime) -> bool:
    """Every worker that took it up failed at it, for so long."""
    if attempt.acted_at is None or now - attempt.acted_at < GIVEN_UP_AFTER:
        return False
    return records.move(attempt, RecoveryAttempt.NO_EFFECT, now, verdict="no worker could perform it; see their logs")


def _leased(attempt: RecoveryAttempt, now: datetime) -> bool:
    """Take up what another worker has left; no change of its state."""
    until = now + LEASE
    mine = RecoveryAttempt.objects.filter(pk=attempt.pk, state=attempt.state, lease_until=attempt.lease_until)
    return bool(mine.update(lease_until=until))


def _without_canary() -> list[str]:
    """Policies that do not wait for a canary."""
    rows = PolicyVersion.objects.filter(current=True).values_list("policy_id", "body")
    return [policy_id for policy_id, body in rows if body.get("canary") is False]


# --- a storm -------------------------------------------------------------------------------------------------------


def _claim_of_storm(row: Storm, one: _Pass, reckless: Iterable[str]) -> None:
    """One, and more only when that worked."""
    found = storms.of_row(row)
    at_target = RecoveryAttempt.objects.filter(target=row.target).exclude(policy_id__in=["", *reckless])
    in_hand = at_target.filter(state__in=(RecoveryAttempt.ACTING, RecoveryAttempt.WATCHING)).exists()
    if found.sent and not in_hand:
        found = replace(found, sent=0)  # what was left of the round ended without a verdict
    room = 0 if in_hand else storm.room(found, one.now)
    ready = at_target.filter(state=RecoveryAttempt.DECIDED, lease_until__lte=one.now)
    chosen = list(ready.order_by("pk").select_related("run")[:room])
    taken = [attempt for attempt in chosen if _take(attempt, one, storm=True)]
    storms.keep(row.target, storm.sent(found, len(taken), one.now))


# --- the brakes ----------------------------------------------------------------------------------------------------


def _put_off(waiting: QuerySet[RecoveryAttempt], one: _Pass) -> None:
    """All that wait for a budget of the hour: they are not asked for again before some of it is free."""
    most = settings.ZEN_RECOVERY_PER_HOUR
    free = brakes.budget_free_at(one.of_site, most, one.now)
    if free is not None:
        _wait(waiting, free, "site", f"recovery has acted {most} times within the hour on this site", one.now)
        return
    for policy_id in waiting.order_by().values_list("policy_id", flat=True).distinct():
        most = _budget(policy_id)
        free = brakes.budget_free_at(one.acted[policy_id], most, one.now)
        if free is not None:
            why = f"{policy_id} has acted {most} times within the hour"
            _wait(waiting.filter(policy_id=policy_id), free, "policy", why, one.now)


def _budget(policy_id: str) -> int:
    row = PolicyVersion.objects.filter(policy_id=policy_id, current=True).first()
    return int(row.body.get("max_per_hour", 20)) if row is not None else 0


def _wait(rows: QuerySet[RecoveryAttempt], until: datetime, brake: str, why: str, now: datetime) -> None:
    """Put these off; their runs say so once they are looked at."""
    found = list(rows.order_by().values_list("pk", "run_id"))
    for start in range(0, len(found), 500):
        part = found[start : start + 500]
        RecoveryAttempt.objects.filter(pk__in=[pk for pk, _ in part]).update(
            lease_until=until, brake=brake, waits=f"{why}; next at {until:%H:%M:%S}"
        )
        RunHealth.objects.filter(pk__in=[run_id for _, run_id in part]).update(look_at=now)


def _claim_one(attempt: RecoveryAttempt, one: _Pass) -> None:
    row = Circuit.objects.filter(key=storms.circuit_key(attempt)).first()
    circuit = storms.of_circuit(row) if row is not None else brakes.Circuit()
    until = brakes.lets(circuit, one.now)
    if until is not None:
        why = f"{attempt.action} at {attempt.target or 'such runs'} failed too often lately"
        same = RecoveryAttempt.objects.filter(
            state=RecoveryAttempt.DECIDED, policy_id=attempt.policy_id, target=attempt.target, action=attempt.action,
            lease_until__lte=one.now,
        )  # fmt: skip
        _wait(same, until, "circuit", why, one.now)
        return
    times, site = [*one.acted[attempt.policy_id]], one.of_site
    left = brakes.budget_free_at(times, _budget(attempt.policy_id), one.now)
    if left is not None or brakes.budget_free_at(site, settings.ZEN_RECOVERY_PER_HOUR, one.now) is not None:
        return  # the next pass puts off what is left
    if _take(attempt, one, storm=False):
        one.acted[attempt.policy_id].append(one.now)
        if row is not None:
            storms.keep_circuit(row, brakes.tried(circuit))


def _take(attempt: RecoveryAttempt, one: _Pass, *, storm: bool) -> bool:
    mine = records.move(
        attempt, RecoveryAttempt.ACTING, one.now, lease_until=one.now + LEASE, acted_at=one.now, waits="", brake="",
        storm=storm,
    )  # fmt: skip
    if mine:
        one.taken.append(attempt)
    return mine
