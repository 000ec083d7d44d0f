from __future__ import annotations

from typing import Any

from django.db import models

from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.queues import DEFAULT
from orchestration.models.definition import Definition


def choices(words: type) -> list[tuple[str, str]]:
    """The words of a StrEnum, and how a form shows them."""
    return [(word.value, word.value.replace("_", " ")) for word in words]  # type: ignore[attr-defined]


SEALED_RULES = 3
RULES = SEALED_RULES
"""What a run of today is started under. A run keeps its rules: its keys and its texts do not change under way.

1: a step's own idempotency key does not hold the step and the run; a mapping's keys are no templates.
2: on Temporal, what starts the run, what its workflow orders and what its attempts answer may lack a seal.
"""


class Run(models.Model):
    """One execution. `workflow_id` is the user's handle; `head` is the flow's state without its steps.

    `created_by`, `created_for`: names as they were then; `…_id`: the accounts. `input_by`: of a restarted run, whose
    input it is besides: pairs of an account's id, or null, and its name then.
    """

    SAGA, PROJECT = "saga", "multi_agent_project"
    SAGAS = (SAGA, PROJECT)
    """The kinds of runs whose state orchestration keeps itself; others keep theirs in rows of their own (ports.py)."""

    workflow_id = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=30, default=SAGA)
    engine = models.CharField(max_length=20)
    status = models.CharField(max_length=24, choices=choices(RunStatus), default=RunStatus.PENDING)
    cause = models.CharField(max_length=12, choices=choices(Cause), blank=True, default="")
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="runs")
    rules = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="the rules for keys and templates that it was started under"
    )
    context = models.JSONField(default=dict)
    config = models.JSONField(default=dict)
    head = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=0, help_text="events folded in")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    parent_step = models.CharField(max_length=100, blank=True, default="")
    parent_iteration = models.PositiveIntegerField(default=0)
    parent_attempt = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    execution = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="on Temporal: which one took the latest message"
    )
    heard = models.PositiveIntegerField(
        default=0, db_default=0, help_text="on Temporal: how many messages it had taken by then"
    )
    handed_over = models.BooleanField(default=False, help_text="the engine has taken the run")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="its hand-over failed; not again before")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True, default="")
    created_for = models.CharField(max_length=150, blank=True, default="", help_text="whose agent started it")
    created_by_id = models.BigIntegerField(null=True, blank=True)
    created_for_id = models.BigIntegerField(null=True, blank=True)
    input_by = models.JSONField(default=list, db_default=[], blank=True)
    trace = models.CharField(
        max_length=55,
        blank=True,
        default="",
        db_default="",
        help_text="of its start (W3C traceparent)",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            # the list of runs, filtered by status
            models.Index(fields=["status", "-id"], name="run_by_status"),
            # the relay: runs that their engine has not taken yet
            models.Index(fields=["engine"], condition=models.Q(handed_over=False), name="run_to_hand_over"),
            # how many runs are open, by status, kind and engine
            models.Index(fields=["status", "kind", "engine"], condition=models.Q(finished_at=None), name="run_open"),
            # every open run in turn, a page of ids at a time
            models.Index(fields=["id"], condition=models.Q(finished_at=None), name="run_open_by_id"),
            # what has ended within a stretch of time
            models.Index(fields=["finished_at", "id"], condition=models.Q(finished_at__isnull=False), name="run_ended"),
        ]

    def __str__(self) -> str:
        return self.workflow_id


OF_A_RUN: dict[str, Any] = {"on_delete": models.CASCADE, "db_constraint": False, "db_index": False}
"""For the ledger's rows. They are written under their run's lock only, so the database need not check each one; and
their unique constraint, which begins with the run, is the index."""


class Step(models.Model):
    """A step's row of the ledger: the flow's StepState, and what the effects learnt. No row: nothing happened yet."""

    run = models.ForeignKey(Run, related_name="steps", **OF_A_RUN)
    step_id = models.CharField(max_length=100)
    state = models.JSONField(default=dict, help_text="the StepState, whole")
    version = models.PositiveIntegerField(default=0, help_text="the run's version that wrote `state`")
    status = models.CharField(max_length=12, choices=choices(StepStatus), default=StepStatus.PENDING)
    undo = models.CharField(max_length=20, choices=choices(UndoStatus), default=UndoStatus.NOT_NEEDED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "step_id"], name="one_row_per_step")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.step_id}"


class Command(models.Model):
    """A command of the flow and, for an action, the attempt that performs it: the ledger's finest row.

    status: ready (not begun), running (written before the call goes out), done. `due_at`: not before.
    `worker` and `epoch` fence a claim: a result under an older epoch is refused.
    `undo_action`: the compensation's inputs, frozen when the forward attempt ends (rule 8).
    """

    READY, RUNNING, DONE = "ready", "running", "done"

    run = models.ForeignKey(Run, related_name="commands", **OF_A_RUN)
    kind = models.CharField(max_length=20)
    timer = models.CharField(max_length=10, blank=True, default="")
    step_id = models.CharField(max_length=100, blank=True, default="")
    purpose = models.CharField(max_length=10, choices=choices(Purpose), default=Purpose.FORWARD)
    iteration = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    alternative = models.BooleanField(default=False)
    queue = models.CharField(max_length=50, default=DEFAULT, db_default=DEFAULT, help_text="which workers perform it")
    turn = models.BigIntegerField(default=0, db_default=0, help_text="the lowest is performed first (fair queueing)")
    due_at = models.DateTimeField()
    status = models.CharField(max_length=8, default=READY)
    worker = models.CharField(max_length=64, blank=True, default="")
    epoch = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0, help_text="claims so far; more than one: possibly repeated")
    cancel_requested = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=choices(Outcome), blank=True, default="")
    maybe = models.BooleanField(default=False)
    retry_after = models.FloatField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    undo_action = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "timer", "step_id", "purpose", "iteration", "attempt"],
                name="one_row_per_command",
            )
        ]
        indexes = [
            # the claim: what is ready in a queue, by its turn
            models.Index(
                fields=["queue", "turn", "id"],
                condition=models.Q(status="ready", kind="run_action"),
                name="command_by_turn",
            ),
            # the timers: what is due next
            models.Index(
                fields=["due_at", "id"], condition=models.Q(status="ready", kind="start_timer"), name="timer_to_fire"
            ),
            # the sweep: what a worker that died had in hand
            models.Index(fields=["worker"], condition=models.Q(status="running"), name="command_in_hand"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.step_id}:{self.purpose}:{self.iteration}:{self.attempt}"


class Event(models.Model):
    """The run's event log: what happened, in order. `data` holds plain JSON, never a secret."""

    run = models.ForeignKey(Run, related_name="events", **OF_A_RUN)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    step_id = models.CharField(max_length=100, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["run_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="one_event_per_seq")]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.seq} {self.kind}"


class Message(models.Model):
    """An event for a run from outside its engine: a person's act, a child's end. Stored first, delivered after."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="messages")
    message_id = models.CharField(max_length=100, unique=True)
    event = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True, default="")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="its delivery failed; not again before")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(delivered_at=None), name="message_to_deliver")]

    def __str__(self) -> str:
        return self.message_id


class Worker(models.Model):
    """A worker's lease: one row, renewed by one UPDATE. When it lapses, the worker's commands become ready again."""

    name = models.CharField(max_length=64, primary_key=True)
    engine = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
