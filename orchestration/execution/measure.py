"""What is measured of an attempt: how long it waited, how long it took, how it ended. Nothing here touches a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from foundation import telemetry
from foundation.clock import now
from orchestration.core.definition import StepDefinition
from orchestration.core.enums import Outcome, Purpose
from orchestration.execution.attempt_result import AttemptResult
from orchestration.models import Command, Run


@contextmanager
def measuring(
    run: Run, row: Command, saga_id: str, step: StepDefinition
) -> Iterator[Callable[[AttemptResult], AttemptResult]]:
    """Yields what notes the result and returns it; an attempt that raises is not counted, since it is made again."""
    began = time.perf_counter()
    wait = max(0.0, (now() - row.due_at).total_seconds())
    name = f"attempt {saga_id}.{row.step_id}"
    with telemetry.bind(saga_id=saga_id), telemetry.span(name, kind="consumer", **_place(run, row)) as span:
        yield partial(_done, run, row, step, began, wait, span)


def _place(run: Run, row: Command) -> dict[str, Any]:
    """Where the attempt's span is: in the run's trace, linked to the attempt before; taken up again, it has an id of
    chance and is linked to its first try."""
    own, before = _identity(run, row, row.attempt), _identity(run, row, row.attempt - 1)
    again = row.tries > 1
    linked = own if again else before if row.attempt > 1 else ""
    return {
        "parent": run.trace,
        "identity": "" if again else own,
        "links": [telemetry.linked(run.trace, linked)] if linked else [],
    }


def _identity(run: Run, row: Command, attempt: int) -> str:
    return f"{run.workflow_id}/{row.step_id}/{row.purpose}/{row.iteration}/{attempt}" if run.trace else ""


def _done(
    run: Run, row: Command, step: StepDefinition, began: float, wait: float, span: telemetry.Span, result: AttemptResult
) -> AttemptResult:
    outcome, action = result.outcome.value, _action(row, step)
    telemetry.count("zen_attempts_total", engine=run.engine, action=action, purpose=str(row.purpose), outcome=outcome)
    seconds = time.perf_counter() - began
    telemetry.observe("zen_attempt_duration_seconds", seconds, engine=run.engine, action=action, outcome=outcome)
    telemetry.observe("zen_attempt_wait_seconds", wait, engine=run.engine)
    span.set("outcome", outcome)
    if result.outcome in (Outcome.FAILED, Outcome.RETRYABLE, Outcome.UNKNOWN):
        span.fail(outcome)
    return result


def _action(row: Command, step: StepDefinition) -> str:
    """Its type; of a compensation that a person gave, `alternative`; of a child run that is undone, `saga`."""
    if row.alternative:
        return "alternative"
    action = step.forward_action if row.purpose == Purpose.FORWARD else step.compensation_action
    return action.type if action is not None else "saga"
