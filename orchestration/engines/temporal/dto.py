"""The values that travel between the workflow, its activities and the engine.

Core values go as JSON (core/saga/codec.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestration.core.queues import DEFAULT

WORKFLOW = "SagaWorkflow"
WORKFLOWS = {"saga": WORKFLOW, "multi_agent_project": "MultiAgentProjectWorkflow"}
"""The workflow type of each kind of run whose state the workflow keeps."""
PERFORM = "zen.perform"
RECORD = "zen.record"
DELIVER = "deliver"
OVER = "Over"  # the type of the refusal by a workflow that is just ending, or beginning: to be sent again
NOT_OURS = "NotOurs"  # that of what no process of this site has sent
TIMER_DUE = "zen.ring"
GRACE_SECONDS = 3600
"""What an attempt may take beyond its step's timeout: for a database that is locked or away, above all."""
MOST_TAKEN = 500
"""Messages whose ids are carried on. One is told again within minutes of its first time, if at all."""
KEPT_WORKFLOWS = {"approval": "HumanApprovalWorkflow"}
"""The workflow type of each kind of run that keeps its own state."""


def queue_of(task_queue: str, queue: str) -> str:
    """The task queue of a step's queue, where `task_queue` is that of the default one."""
    return task_queue if queue == DEFAULT else f"{task_queue}.{queue}"


@dataclass(frozen=True)
class Start:
    """The argument of the workflow. `state` is empty for a new run; else the state to go on from.

    `event`: the first event ('' after continue-as-new). `commands`: timers and held commands to start again.
    `took`: the message that `event` came with, when a message made an ended run go on; told again, it means nothing.
    `taken`: the latest messages that were taken before this workflow: the server does not remember their ids.
    `rules`: the run's (models/run.py); 0 in a run that was started before they were told.
    `heard`: how many of the run's messages were taken before this workflow.
    `seal`: see seals.py; '' in a run that was started before there were any.
    `history_limit`: events after which the run continues as new; 0 leaves it to the server.
    """

    workflow_id: str
    run_pk: int
    plan: str
    event: str
    state: str = ""
    next_seq: int = 1
    commands: list[str] = field(default_factory=list)
    took: str = ""
    history_limit: int = 0
    taken: list[str] = field(default_factory=list)
    rules: int = 0
    heard: int = 0
    seal: str = ""


@dataclass(frozen=True)
class Perform:
    """A RunAction, and the state changes that are not written yet. `heard`: how many messages the run has taken so far.

    `seal`: as in Start.
    """

    run_pk: int
    command: str
    pages: list[str]
    heard: int = 0
    seal: str = ""


@dataclass(frozen=True)
class Record:
    """State changes to write; actions to ask to stop; whether this is the end record.

    `heard`, `seal`: as in Perform.
    """

    run_pk: int
    pages: list[str]
    cancels: list[str]
    finished: bool
    heard: int = 0
    seal: str = ""


@dataclass(frozen=True)
class Deliver:
    """`seal`: see seals.py; '' in what was sent before there were any."""

    event: str
    seal: str = ""


@dataclass(frozen=True)
class Taken:
    """Which execution of the run's workflow took a message, and how many it had heard of with it."""

    execution: str
    heard: int


@dataclass(frozen=True)
class Kept:
    """A run whose state is in its rows: the workflow keeps its time."""

    run_pk: int
    kind: str


@dataclass(frozen=True)
class TimerDue:
    """`at`: the workflow's time, ISO 8601. It decides nothing: the database's does."""

    run_pk: int
    kind: str
    at: str


@dataclass(frozen=True)
class NextTimer:
    """When to call again. `due`: ISO 8601, by the server's clock; '' when only people can make it go on."""

    due: str
    ended: bool
