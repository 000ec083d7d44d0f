"""The interpreter alone on a real server: a plan, scripted outcomes, acts sent when the run reaches a status."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio import activity
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from orchestration.core.enums import Outcome, Purpose
from orchestration.core.saga.codec import COMMAND, EVENT, PLAN
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import ActionEnded, Event, RunStarted
from orchestration.core.saga.facts import Fact
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state_change import PAGE
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, PERFORM, RECORD, Perform, Record, Start
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from tests.support.waiting import PATIENCE_SECONDS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Attempt = tuple[str, Purpose, int]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`outcomes`: by step, purpose and attempt; what is not named succeeds.

    `acts`: each is sent when the run's status becomes that word; the very same event is the same message again.
    `late`: steps whose outcome comes as a message.
    """

    plan: Plan
    outcomes: Mapping[Attempt, Outcome] = field(default_factory=dict)
    acts: Sequence[tuple[str, Event]] = ()
    late: frozenset[str] = frozenset()
    history_limit: int = 0


@dataclass(kw_only=True)
class Played:
    status: str
    facts: list[tuple[int, Fact]]
    histories: list[WorkflowHistory]

    @property
    def log(self) -> list[str]:
        return [f"{fact.kind} {fact.step_id}".strip() for _, fact in self.facts]


class _Stage:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.facts: dict[int, Fact] = {}
        self.status = ""
        self.changed = asyncio.Condition()
        self.tasks: list[asyncio.Task[None]] = []
        self.handle: WorkflowHandle[SagaWorkflow, str]

    async def note(self, pages: list[str]) -> None:
        async with self.changed:
            for page in map(PAGE.validate_json, pages):
                self.facts.update(enumerate(page.facts, page.first_seq))
                self.status = str(page.head["status"])
                self.changed.notify_all()
                await asyncio.sleep(0)  # whoever waits for this very status sees it

    async def perform(self, given: Perform) -> str:
        await self.note(given.pages)
        command = COMMAND.validate_json(given.command)
        assert isinstance(command, RunAction)
        ended = EVENT.dump_json(self._ended(command)).decode()
        if command.step_id not in self.scene.late:
            return ended
        self.tasks.append(asyncio.create_task(self.tell(ended)))
        return ""

    async def record(self, given: Record) -> None:
        await self.note(given.pages)

    async def tell(self, event: str) -> None:
        name = hashlib.sha256(event.encode()).hexdigest()
        await self.handle.execute_update(DELIVER, seals.delivery(self.handle.id, name, event), id=name, result_type=str)

    async def act(self) -> None:
        for status, event in self.scene.acts:
            async with self.changed:
                await self.changed.wait_for(lambda status=status: self.status == status)  # type: ignore[misc]
            await self.tell(EVENT.dump_json(event).decode())

    def _ended(self, command: RunAction) -> ActionEnded:
        attempt = (command.step_id, command.purpose, command.attempt)
        outcome = self.scene.outcomes.get(attempt, Outcome.SUCCEEDED)
        return ActionEnded(
            at=NOON,
            step_id=command.step_id,
            purpose=command.purpose,
            iteration=command.iteration,
            attempt=command.attempt,
            outcome=outcome,
            maybe=outcome is Outcome.UNKNOWN,
        )


async def play(address: str, scene: Scene) -> Played:
    """Run a scene to its end; the histories are those of every run it continued as."""
    client, name, stage = await Client.connect(address), f"saga-{uuid.uuid4().hex}", _Stage(scene)

    @activity.defn(name=PERFORM)
    async def perform(given: Perform) -> str:
        return await stage.perform(given)

    @activity.defn(name=RECORD)
    async def record(given: Record) -> None:
        await stage.record(given)

    start = Start(
        workflow_id=name,
        run_pk=1,
        plan=PLAN.dump_json(scene.plan).decode(),
        event=EVENT.dump_json(RunStarted(at=NOON)).decode(),
        history_limit=scene.history_limit,
    )
    async with Worker(client, task_queue=name, workflows=[SagaWorkflow], activities=[perform, record]):
        first = await client.start_workflow(SagaWorkflow.run, start, id=name, task_queue=name)
        stage.handle = client.get_workflow_handle(name)
        acting = asyncio.create_task(stage.act())
        status = await asyncio.wait_for(first.result(), PATIENCE_SECONDS)
        await asyncio.wait_for(asyncio.gather(acting, *stage.tasks), PATIENCE_SECONDS)
    histories = [await _history(client, name, run_id) async for run_id in _runs(client, first)]
    return Played(status=status, facts=sorted(stage.facts.items()), histories=histories)


async def _history(client: Client, name: str, run_id: str) -> WorkflowHistory:
    return await client.get_workflow_handle(name, run_id=run_id).fetch_history()


async def _runs(client: Client, first: WorkflowHandle[SagaWorkflow, str]) -> AsyncIterator[str]:
    """The chain of run ids, each read from the end of the one before."""
    run_id: str | None = first.first_execution_run_id
    while run_id:
        yield run_id
        last = (await _history(client, first.id, run_id)).events[-1]
        continued = last.workflow_execution_continued_as_new_event_attributes
        run_id = continued.new_execution_run_id or None


def with_limit(scene: Scene, history_limit: int) -> Scene:
    return dataclasses.replace(scene, history_limit=history_limit)
