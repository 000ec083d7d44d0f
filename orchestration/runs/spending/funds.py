"""What a project has left, and how much of that the next attempt may spend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from django.db.models import Exists, OuterRef, QuerySet

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from orchestration.core.agent.prices import PLACES
from orchestration.core.enums import Outcome, Purpose
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import AgentAttempt, AgentLease, Run
from orchestration.runs.spending.budget import budget_now

DEEPEST = 10
NOTHING = Decimal(0)
WORTH = 20
"""A share of which less than this part is left is not begun with: what is free beyond all shares is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """`spent`: by sessions that have ended, or whose worker was lost. `held`: by those that have not, what they
    reserved or have cost, whichever is more. `by_step`: (run's id, step) → what its attempts have cost and hold.
    `open_steps`: those with a session."""

    budget: Decimal
    spent: Decimal
    held: Decimal
    by_step: Mapping[tuple[int, str], Decimal] = field(default_factory=dict)
    open_steps: frozenset[tuple[int, str]] = frozenset()

    @property
    def free(self) -> Decimal:
        """What nobody holds."""
        return max(NOTHING, self.budget - self.spent - self.held)


def funds_of(home: Run) -> Funds | None:
    """Of a project with a budget; None for all else. Inside `locked` it holds until the transaction ends."""
    budget = budget_now(home)
    if budget is None:
        return None
    spent = held = NOTHING
    by_step: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    open_steps = set()
    rows = AgentAttempt.objects.filter(run__in=family_of(home)).annotate(has_lease=Exists(_lease()))
    for run_id, step_id, cost, reserved, ended, has_lease in rows.values_list(*_COUNTED):
        is_open, known = has_lease and not ended, cost or NOTHING
        taken = max(known, reserved or NOTHING) if is_open else known
        by_step[run_id, step_id] += taken
        if is_open:
            held += taken
            open_steps.add((run_id, step_id))
        else:
            spent += taken
    return Funds(budget=budget, spent=spent, held=held, by_step=dict(by_step), open_steps=frozenset(open_steps))


_COUNTED = ("run", "step_id", "cost", "reserved", "ended", "has_lease")
_SAME = ("run", "step_id", "purpose", "iteration", "attempt", "claim")


def _lease() -> QuerySet[AgentLease]:
    """Of an attempt that is at work: it is renewed until the attempt has ended, and lapses with its worker."""
    return AgentLease.objects.filter(until__gt=database_now(), **{name: OuterRef(name) for name in _SAME})


def lock(home: Run) -> None:
    """Others who reserve for this project wait until the caller's writing transaction ends.

    Leases that have lapsed are gone from then on: a worker that was only late cannot renew them, and stops its session.
    """
    statements.run(*lock_by_name(f"project_money:{home.pk}"))
    AgentLease.objects.filter(run__in=family_of(home), until__lte=database_now()).delete()


def family_of(home: Run) -> list[int]:
    """The ids of the project's run and of the sagas below it."""
    found, level = [home.pk], [home.pk]
    for _ in range(DEEPEST):
        level = list(Run.objects.filter(parent__in=level, kind__in=Run.SAGAS).values_list("pk", flat=True))
        if not level:
            break
        found += level
    return found


def share(funds: Funds, run: Run, step_id: str, *, most: Decimal | None = None) -> Decimal:
    """What the next attempt of a step reserves; 0 where nothing is left for it.

    Each task of its saga has an equal share of the budget. What a task did not use of its own is free for those that
    need more; what a task that is not done has left of its own is not. `most`: what the step's own budget has left.
    """
    scope = run.parent if run.parent is not None and run.parent.kind == Run.SAGA else run
    tasks = [one.step_id for one in definition_of(scope).steps if one.forward_action.type == "agent"]
    own = (funds.budget / max(1, len(tasks))).quantize(PLACES, rounding=ROUND_DOWN)
    left = own - funds.by_step.get((run.pk, step_id), NOTHING)
    if left < own / WORTH:
        left = funds.free - sum(_kept(funds, scope, [one for one in tasks if one != step_id], own), NOTHING)
    found = min(left, funds.free, *([] if most is None else [most]))
    return max(NOTHING, found.quantize(PLACES, rounding=ROUND_DOWN))


def _kept(funds: Funds, scope: Run, others: Sequence[str], own: Decimal) -> Iterator[Decimal]:
    """What each of these tasks has left of its own share, where it is not done and holds nothing."""
    done = _done(scope)
    for one in others:
        if one not in done and (scope.pk, one) not in funds.open_steps:
            yield max(NOTHING, own - funds.by_step.get((scope.pk, one), NOTHING))


def _done(run: Run) -> frozenset[str]:
    rows = run.commands.filter(kind="run_action", purpose=Purpose.FORWARD, outcome=Outcome.SUCCEEDED)
    return frozenset(rows.values_list("step_id", flat=True))
