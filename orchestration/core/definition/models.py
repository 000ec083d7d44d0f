"""The definition's own models. Descriptions serve the JSON Schema and the remedies of problems alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from orchestration.core.agent.agent_type import is_for_an_agent
from orchestration.core.definition.actions import LONGEST_SECONDS, SAGA_ID, Action, Ask, Task, UndoAction
from orchestration.core.queues import AGENTS as AGENTS_QUEUE
from orchestration.core.queues import DEFAULT as DEFAULT_QUEUE
from orchestration.core.queues import IN_WORDS
from orchestration.core.queues import NAME as QUEUE

STEP_ID = r"^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,99}|_(?:[A-Za-z0-9-][A-Za-z0-9_-]{0,98})?)$"
BREAKER = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"
MOST_STEPS = 10_000

Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
Minutes = Annotated[float, Field(gt=0, le=LONGEST_SECONDS / 60)]
Retries = Annotated[int, Field(ge=0, le=100)]
Backoff = Annotated[float, Field(ge=0, le=86400)]

DEFAULT_TIMEOUTS = {
    "api_call": 60.0, "script": 600.0, "task": 600.0, "wait": 60.0, "saga": 60.0, "approval": 60.0, "agent": 14_400.0,
}  # fmt: skip
ONE_TIMEOUT: JsonDict = {"not": {"required": ["timeout_seconds", "timeout_minutes"]}}


class StepDefinition(BaseModel):
    """One step of a saga."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, json_schema_extra=ONE_TIMEOUT
    )

    step_id: str = Field(
        pattern=STEP_ID,
        description="unique in the saga: letters, digits, _ and -, at most 100, not beginning with __ or -",
    )
    name: str = Field("", max_length=200, description="a short name for people")
    description: str = Field("", description="what the step does, for people")
    forward_action: Action = Field(description="what the step does")
    compensation_action: UndoAction | None = Field(
        None, description="what undoes it when the saga aborts: an api_call, script or task"
    )
    probe_action: UndoAction | None = Field(
        None, description="asks whether the step was done when that is unknown: an api_call, script or task"
    )
    approval: Ask | None = Field(None, description="people who must say yes before the step acts: a mapping")
    agent_type: str | None = Field(None, min_length=1, max_length=100, description="the agent that does a task")
    queue: str = Field(
        DEFAULT_QUEUE,
        pattern=QUEUE,
        description=f"the queue whose workers do the step, its undo and its probe: {IN_WORDS}; left out, agents for "
        "what an agent does, and default for all else",
    )
    timeout_seconds: Seconds | None = Field(
        None,
        description="bound of one attempt, seconds above 0 and at most 366 days; left out, an api_call has 60, "
        "a script or task 600, what an agent does 14400",
    )
    timeout_minutes: Minutes | None = Field(None, description="the same in minutes; give only one of the two")
    retry_count: Retries = Field(0, description="attempts after the first, a whole number from 0 to 100")
    compensation_retry_count: Retries = Field(
        5, description="attempts of the undo after its first, a whole number from 0 to 100"
    )
    backoff_seconds: Backoff = Field(
        1.0, description="the first retry comes within so many seconds, each later one within double that"
    )
    compensation_backoff_seconds: Backoff = Field(2.0, description="the same for the undo, in seconds")
    backoff_limit_seconds: Backoff = Field(60.0, description="no retry waits longer, in seconds, at most a day")
    dependencies: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="ids of the steps to wait for, exactly; [] starts at once; left out, the step before in the list",
    )
    parallel_group: str | None = Field(
        None, min_length=1, max_length=100, description="steps in a row with the same group run side by side"
    )
    critical: bool = Field(True, description="true: its failure aborts the saga; false: the saga goes on")
    pivot: bool = Field(False, description="true: once it has succeeded nothing is undone any more")
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="a template for the key's beginning; workflow_id, step_id, purpose and iteration follow",
    )
    breaker: str | None = Field(
        None,
        pattern=BREAKER,
        description="the circuit breaker of its api_calls, shared by all that name it; left out, one for each host, "
        "method and path",
    )
    output_schema: dict[str, JsonValue] | None = Field(
        None, description="a JSON Schema (draft 2020-12) of the output, a mapping; another output fails the step"
    )
    default_output: JsonValue = Field(
        None, description="the output of a step with critical: false that failed; null is none"
    )

    @property
    def title(self) -> str:
        return self.name or self.step_id

    @property
    def effective_timeout_seconds(self) -> float:
        """The bound of one attempt: as given, else by what it does: 60 s for an api_call, 4 hours for an agent."""
        given = _seconds(self.timeout_seconds, self.timeout_minutes)
        kind = "agent" if self.is_for_an_agent else self.forward_action.type
        return DEFAULT_TIMEOUTS[kind] if given is None else given

    @property
    def is_for_an_agent(self) -> bool:
        """Whether an agent does it: an action `agent`, or a task that names a type of agent and no handler."""
        action = self.forward_action
        handler = action.handler if isinstance(action, Task) else None
        written = {"forward_action": {"type": action.type, "handler": handler}, "agent_type": self.agent_type}
        return is_for_an_agent(written)

    @property
    def effective_queue(self) -> str:
        """The queue whose workers do it: as given, else `agents` for what an agent does."""
        return AGENTS_QUEUE if self.is_for_an_agent and "queue" not in self.model_fields_set else self.queue


class SagaDefinition(BaseModel):
    """A saga: steps in an order, each with what undoes it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, json_schema_extra=ONE_TIMEOUT
    )

    saga_id: str = Field(
        pattern=SAGA_ID,
        description="names the saga: letters, digits, . _ and -, at most 100, beginning with a letter or digit",
    )
    name: str = Field("", max_length=200, description="a short name for people")
    description: str = Field("", description="what the saga does, for people")
    steps: tuple[StepDefinition, ...] = Field(
        min_length=1, max_length=MOST_STEPS, strict=False, description="the steps, a list of at least one"
    )
    context: dict[str, JsonValue] = Field(
        default={}, description="values that the actions' {placeholders} find; a start can lay others over them"
    )
    max_parallel: int = Field(100, ge=1, le=200, description="attempts in flight at once, 1 to 200")
    timeout_seconds: Seconds | None = Field(
        None, description="the saga's deadline in seconds, above 0 and at most 366 days; left out, none"
    )
    timeout_minutes: Minutes | None = Field(None, description="the same in minutes; give only one of the two")
    idempotency_scope: Literal["run", "business"] = Field(
        "run",
        description="run: a restart sends other keys; business: a step's own idempotency_key is the same in every run",
    )
    compensation_order: Literal["parallel", "sequential"] = Field(
        "parallel", description="inside a wave undo all at once (parallel) or one by one (sequential)"
    )

    @property
    def title(self) -> str:
        return self.name or self.saga_id

    @property
    def effective_timeout_seconds(self) -> float | None:
        """The deadline; None when the saga has none."""
        return _seconds(self.timeout_seconds, self.timeout_minutes)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12). What it cannot say (order, names, templates) the validator does."""
    schema = SagaDefinition.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Saga definition",
    }


def _seconds(seconds: float | None, minutes: float | None) -> float | None:
    return minutes * 60 if seconds is None and minutes is not None else seconds
