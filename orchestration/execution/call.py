"""What an attempt calls with: its key, its route, and since when it polls."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from pydantic import JsonValue

from foundation.clock import now
from orchestration.actions.base import Call, Result
from orchestration.core.definition import Action, ApiCall, SagaDefinition, StepDefinition
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.idempotency import idempotency_key
from orchestration.core.templates import (
    TemplateError,
)
from orchestration.ledger import late_handlers
from orchestration.models import Command, Run

SINCE = "polling_since"
"""Key of a parked attempt's `detail`: when the first call of its `until` was made."""


def key_of(run: Run, row: Command, definition: SagaDefinition, custom: str = "", *, alternative: int = 0) -> str:
    """The same for every attempt; never an attempt number or an engine's id (rule 5)."""
    return idempotency_key(
        workflow_id=run.workflow_id,
        saga_id=definition.saga_id,
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        custom=custom,
        scope=definition.idempotency_scope,
        rules=run.rules,
        alternative=alternative,
    )


def parked_before(run: Run, row: Command) -> Mapping[str, JsonValue]:
    """What the attempt before kept, when it was parked: by a circuit breaker, or because `until` did not hold yet."""
    before = row.attempt - 1
    if not before:
        return {}
    attempts = run.commands.filter(
        kind="run_action", step_id=row.step_id, purpose=row.purpose, iteration=row.iteration, attempt=before
    )
    return attempts.filter(outcome=Outcome.PARKED).values_list("detail", flat=True).first() or {}


def polls(action: Mapping[str, JsonValue]) -> bool:
    """Whether it is an api_call that waits for its `until`."""
    return action.get("type") == "api_call" and action.get("until") is not None


def polling_since(before: Mapping[str, JsonValue]) -> datetime:
    """When the first call of an `until` was made; now, when this is the first."""
    since = before.get(SINCE)
    return datetime.fromisoformat(since) if isinstance(since, str) else now()


def with_polling_since(result: Result, action: Mapping[str, JsonValue], since: datetime) -> Result:
    """The next call of an `until` has to know when the first was made."""
    if result.outcome is not Outcome.PARKED or not polls(action):
        return result
    return dataclasses.replace(result, detail={**result.detail, SINCE: since.isoformat()})


def route_of(action: Action | None) -> str:
    """The URL of an api_call as its author wrote it; '' for other actions."""
    return action.url if isinstance(action, ApiCall) else ""


def call_for(
    run: Run,
    row: Command,
    step: StepDefinition,
    action: Mapping[str, JsonValue],
    key: str,
    cancelled: threading.Event,
    *,
    route: str,
    since: datetime,
) -> Call:
    """What the action gets. `key`: the idempotency key; `since`: as of `polling_since`."""
    return Call(
        workflow_id=run.workflow_id,
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
        idempotency_key=key,
        timeout_seconds=step.effective_timeout_seconds,
        action=action,
        polled_seconds=max(0.0, (now() - since).total_seconds()) if polls(action) else 0.0,
        breaker=step.breaker or "",
        route=route,
        title=step.title,
        agent_type=step.agent_type or "",
        cancelled=cancelled,
        goes_on=partial(late_handlers.note, run, row),
    )


def key_text(key: str) -> str:
    """The key as it was rendered. Raises TemplateError where a header could not hold it."""
    if "\r" in key or "\n" in key:
        raise TemplateError("the idempotency_key would contain a line break")
    return key
