"""Judge a batch of runs, and store what came out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from foundation.clock import iso
from foundation.db import statements
from monitoring.alerting.rules import rules
from monitoring.core.alerting import Rule, waits_until
from monitoring.core.conditions import METRICS, Metrics
from monitoring.core.detectors import assess
from monitoring.core.facts import RunFacts
from monitoring.core.health import Health
from monitoring.core.matching import Armed, asked_for, match_all
from monitoring.core.metrics import metrics
from monitoring.core.norms import Norm, Norms
from monitoring.models import Norm as NormRow
from monitoring.models import RunHealth
from monitoring.queries.health import issue_view
from monitoring.recovery.candidates import Candidate
from monitoring.watch.collect import Away, facts_of
from monitoring.watch.rows import rows_of

MUCH, ONE_IN = 100, 10
"""Successes of a saga after which only one run in ten is learnt from."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's facts, its health, and whether that differs from the one that was stored before.

    `teaches`: what is usual is learnt from it, should it have ended well. Of a saga of which much is known, one run in
    so many does. `metrics`: its figures; `matched`: {recovery policy: since when it matches that}.
    """

    facts: RunFacts
    health: Health
    changed: bool
    metrics: Metrics
    matched: Mapping[str, datetime] = field(default_factory=dict)
    teaches: bool = True

    @property
    def candidate(self) -> Candidate:
        """As recovery sees it."""
        return Candidate(self.facts, self.health, self.metrics, self.matched)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a batch of runs is held against."""

    norms: Norms
    told: Sequence[Rule]
    armed: Sequence[Armed]


def judge(
    run_ids: Sequence[int], away: Away, *, armed: Sequence[Armed] = (), every_figure: bool = False
) -> list[Judged]:
    """The health of these runs now, and what they match of `armed`; reads only. Ids without a run are left out.

    `every_figure`: those that no policy asks for are counted too.
    """
    rows = rows_of(run_ids, asked=frozenset(METRICS) if every_figure else asked_for(armed))
    norms = norms_for({run.definition.saga_id for run in rows.runs})
    before = {one.run_id: one for one in RunHealth.objects.filter(run_id__in=[run.pk for run in rows.runs])}
    held = _Rules(norms, [rule for _, rule in rules().values()], armed)
    known = ((facts, before.get(facts.run_id)) for facts in facts_of(rows, away))
    return [_judged(_with_server(facts, row), held, row) for facts, row in known]


def _with_server(facts: RunFacts, before: RunHealth | None) -> RunFacts:
    """What Temporal said of the run when it was asked; that it is lost only while nothing has happened since."""
    told = (before.server or {}) if before is not None else {}
    if not told or facts.status.is_end:
        return facts
    lost = not told["known"] and told["version"] == facts.version
    return replace(facts, lost_workflow=lost, history=told["history"], history_most=told["most"])


def _judged(facts: RunFacts, held: _Rules, before: RunHealth | None) -> Judged:
    """A rule may tell of an issue only once it is there for a while, and a policy match: then it is looked at again."""
    health = assess(facts, held.norms)
    figures = metrics(facts, health, held.norms)
    known = {name: datetime.fromisoformat(at) for name, at in before.matched.items()} if before is not None else {}
    matched = match_all(held.armed, facts, figures, known)
    waits = waits_until(held.told, health.issues, facts.now) if health.issues else None
    looks = [moment for moment in (health.look_at, waits, matched.look_at) if moment is not None]
    health = replace(health, look_at=min(looks, default=None))
    same = before is not None and before.status == health.status and before.issues == views_of(health)
    teaches = held.norms.of(facts.saga_id).n < MUCH or facts.run_id % ONE_IN == 0
    return Judged(facts=facts, health=health, changed=not same, metrics=figures, matched=matched.since, teaches=teaches)


def views_of(health: Health) -> list[dict[str, Any]]:
    """The issues as they are stored."""
    return [issue_view(issue) for issue in health.issues]


def norms_for(saga_ids: Iterable[str]) -> Norms:
    """What is usual for the steps and runs of these sagas. One query."""
    found: Mapping[tuple[str, str, str], Norm] = {
        (row.saga_id, row.step_id, row.purpose): Norm(n=row.n, p50=row.p50, p95=row.p95, p99=row.p99)
        for row in NormRow.objects.filter(saga_id__in=list(saga_ids)).defer("sketch")
    }
    return Norms(found)


_COLUMNS = "run_id, kind, saga_id, engine, target, status, issues, since, checked_at, look_at, version, ended, matched"
NEWER = (
    "(run_id) DO UPDATE SET target = excluded.target, issues = excluded.issues, checked_at = excluded.checked_at, "
    "look_at = excluded.look_at, version = excluded.version, ended = excluded.ended, "
    "matched = excluded.matched, "
    "since = CASE WHEN monitoring_runhealth.status = excluded.status THEN monitoring_runhealth.since "
    "ELSE excluded.since END, status = excluded.status "
    "WHERE (monitoring_runhealth.version, monitoring_runhealth.checked_at) <= (excluded.version, excluded.checked_at)"
)


def store(judged: Sequence[Judged]) -> list[Judged]:
    """Store them; returns those that were. A row of a later version of its run, or judged later, stays as it is."""
    rows = sorted((_row(one) for one in judged), key=lambda row: row[0])
    kept = statements.insert("monitoring_runhealth", _COLUMNS, rows, on_conflict=f"{NEWER} RETURNING run_id")
    stored = {pk for found in statements.rows_of(*kept) for (pk,) in found}
    return [one for one in judged if one.facts.run_id in stored]


def _row(one: Judged) -> tuple[Any, ...]:
    facts, health = one.facts, one.health
    worst = health.issues[0] if health.issues else None
    return (
        facts.run_id, facts.kind, facts.saga_id, facts.engine, worst.target if worst else "", health.status.value,
        statements.as_json(views_of(health)), statements.moment(worst.since if worst else facts.now),
        statements.moment(facts.now), statements.moment(health.look_at), facts.version, facts.ended,
        statements.as_json({name: iso(at) for name, at in one.matched.items()}),
    )  # fmt: skip
