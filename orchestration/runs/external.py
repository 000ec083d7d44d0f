"""Runs whose state another app keeps in rows of its own (docs/adr/0006): opened, locked and written here alone.

Such a run shows one step, whose state follows the run's. Its engine keeps nothing but its time: it calls the flow's
`on_timer` (ports.ExternalFlow) when the time comes that was recorded last. Every function but `keep_time` is called
inside the caller's writing transaction, and what concerns others (its engine, the step that waits for it) is handed
over after the commit, or by the relay when an engine is away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from foundation import telemetry
from foundation.clock import now
from foundation.db import statements
from foundation.errors import Unreachable
from foundation.identity.actor import Actor
from orchestration.core.enums import Cause, RunStatus, StepStatus
from orchestration.core.saga.events import LookAgain, RerunRequested
from orchestration.core.saga.facts import Fact
from orchestration.core.saga.guards import at_work_after, descendants
from orchestration.core.saga.state import StepState
from orchestration.core.saga.state_change import StateChange
from orchestration.engines.registry import ENGINES, choose
from orchestration.ledger import run_end, store
from orchestration.ledger.news import news_of
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Message, News, Run
from orchestration.runs.definitions import checked
from orchestration.runs.definitions import store as store_definition
from orchestration.runs.delivery import deliver, wake
from orchestration.runs.new_run import Parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalState:
    """What a change of the flow's own state comes to for its run.

    `version` rises by one with each change. `wake_at`: when `on_timer` is wanted next (aware UTC); None: never, as
    things stand. `facts`: what is added to the run's log.
    """

    version: int
    status: RunStatus
    cause: Cause | None
    facts: Sequence[Fact]
    wake_at: datetime | None


def chosen_engine(name: str = "") -> str:
    """The name of the engine that a new run gets; `name` as of `engines.registry.choose`.

    Raises:
        BadInput: there is no such engine.
        Unreachable: it was asked for by name, and is away.
    """
    return choose(name).name


def open_external_run(
    *, kind: str, workflow_id: str, shown: Mapping[str, Any], engine: str, actor: Actor, parent: Parent | None = None
) -> Run:
    """Store a run of a kind that ZEN_FLOWS names. `shown`: the definition that its pages show, of one step.

    `engine`: of `chosen_engine`, asked before the transaction. The caller records the run's first state in the same
    one.

    Raises:
        IntegrityError: the `workflow_id` is taken.
    """
    found = ENGINES[engine]
    definition, _ = store_definition(checked(dict(shown)), actor=actor)
    run = Run.objects.create(
        workflow_id=workflow_id, kind=kind, engine=engine, definition=definition, context={}, config={},
        created_at=now(), created_by=actor.name, created_for=actor.owner, handed_over=not found.is_told,
        created_by_id=actor.user_id, created_for_id=actor.owner_id, trace=telemetry.traceparent(),
        **(parent.fields() if parent else {}),
    )  # fmt: skip
    statements.run(*news_of([(run, News.STARTED)]))
    transaction.on_commit(lambda: _hand_over(run), robust=True)
    return run


def lock_external_run(run_pk: int) -> Run:
    """The run, its row locked until the caller's transaction ends. All acts on it wait for this lock."""
    return store.locked(run_pk)


def record_external_state(run: Run, step_id: str, state: ExternalState) -> None:
    """Write what changed, for a run that is locked or new. An ended run's timers end, and its parent's step is told."""
    ended = state.status.is_end
    step = StepState(status=_step_status(state.status), attempt=1, parked=not ended)
    head = {"status": state.status, "cause": state.cause}
    facts, first = tuple(state.facts), store.next_seq(run)
    store.write_change(
        run, StateChange(head=head, version=state.version, steps={step_id: step}, facts=facts, first_seq=first)
    )
    engine = ENGINES[run.engine]
    if state.wake_at:
        statements.run(*engine.alarm(run, state.wake_at, run.version))
    told = [wake(run, number=run.version)] if engine.is_told and run.handed_over else []
    if ended:
        statements.run(run_end.end_timers(run))
        told += [message for message in (run_end.look_again(run),) if message is not None]
    if told:
        transaction.on_commit(lambda: _deliver(told), robust=True)


def keep_time(run: Run) -> None:
    """Have the engine ask again when the run wants to be woken.

    Raises:
        Unreachable: the engine is away.
    """
    ENGINES[run.engine].tend(run)


def tell_parent_again(run: Run, *, number: int) -> None:
    """Tell the step that waits for an ended run once more; `number`: how often it was told before.

    Raises:
        Unreachable: the parent's engine is away.
    """
    if run.parent is not None:
        event = LookAgain(at=now(), step_id=run.parent_step, iteration=run.parent_iteration)
        deliver(run_end.post(run.parent, event, message_id=f"look:{run.pk}:{run.version}:{number}"))


def too_early_for_rework(run: Run, step_id: str) -> str:
    """Why a step of the run that waits for this one cannot be done again yet, in words; '' when it can.

    What comes before the waiting step has ended, or it would not wait: the state that is stored may say so later.
    """
    parent = run.parent
    if parent is None or step_id not in (plan := compiled_plan(parent)).steps:
        return ""
    before = {one for one in plan.steps if run.parent_step in descendants(plan, one)}
    busy = [one for one in at_work_after(plan, store.load_state(parent), step_id) if one not in before]
    return f"step '{busy[0]}', which comes after '{step_id}', is at work" if busy else ""


def ask_for_rework(run: Run, step_id: str, *, number: int, words: str, by: str, asker: str = "") -> Message | None:
    """Have a step of the run that waits for this one done again with all that follows, because of these words.

    `number`: of the request for changes; the same one has it done once. `asker`: the parent's step, where that is a
    saga that asks at its end. Nothing for a run without a parent.
    """
    if run.parent is None:
        return None
    event = RerunRequested(at=now(), step_id=step_id, by=by, note=words, rework=True, asker=asker)
    message = run_end.post(run.parent, event, message_id=f"rework:{run.pk}:{number}")
    transaction.on_commit(lambda: _deliver([message]), robust=True)
    return message


def carry_on(run: Run, parent: Parent) -> None:
    """What an earlier iteration of a step asked is asked by its present one."""
    run.parent_iteration, run.parent_attempt = parent.iteration, parent.attempt
    run.save(update_fields=["parent_iteration", "parent_attempt"])


def _step_status(status: RunStatus) -> StepStatus:
    if status is RunStatus.COMPLETED:
        return StepStatus.SUCCEEDED
    return StepStatus.FAILED if status.is_end else StepStatus.RUNNING


def _hand_over(run: Run) -> None:
    """An engine that finds its alarms in the rows has the run already."""
    engine = ENGINES[run.engine]
    try:
        engine.wake() if run.handed_over else engine.take(run)
    except Unreachable:
        return  # the relay hands it over later


def _deliver(messages: Sequence[Message]) -> None:
    """An engine that is away gets them by the relay."""
    for message in messages:
        try:
            deliver(message)
        except Unreachable:
            return
