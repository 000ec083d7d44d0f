"""What steps gave, as the templates of an attempt see it: outputs, and the answers of their calls."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from pydantic import JsonValue

from orchestration.actions.base import Result
from orchestration.core.definition import SagaDefinition
from orchestration.core.enums import Outcome, Purpose, StepStatus
from orchestration.models import Run


def own_output(result: Result) -> dict[str, JsonValue] | None:
    """The step's own output; None where it is not known."""
    if isinstance(result.output, dict):
        return result.output
    return {} if result.outcome is Outcome.SUCCEEDED else None


def outputs_of(
    run: Run, definition: SagaDefinition, step_ids: list[str], iteration: int
) -> tuple[dict[str, JsonValue], set[str]]:
    """The outputs of these steps as a step of this iteration found them, and the ids of those whose output is missing.

    Two queries, none for no steps.
    """
    if not step_ids:
        return {}, set()
    statuses = dict(run.steps.filter(step_id__in=step_ids).values_list("step_id", "status"))
    done = run.commands.filter(
        kind="run_action",
        step_id__in=step_ids,
        purpose=Purpose.FORWARD,
        outcome=Outcome.SUCCEEDED,
        iteration__lte=iteration,
    ).order_by("iteration")
    stored: dict[str, JsonValue] = dict(done.values_list("step_id", "output"))
    outputs: dict[str, JsonValue] = {}
    missing: set[str] = set()
    defaults = {s.step_id: s.default_output for s in definition.steps}
    for step_id in step_ids:
        # A row still says "running" when its page is on its way; a stored success is the later word.
        if statuses.get(step_id) == StepStatus.SUCCEEDED or step_id in stored:
            outputs[step_id] = stored.get(step_id) or {}
        elif defaults[step_id] is not None:
            outputs[step_id] = defaults[step_id]
        else:
            missing.add(step_id)
    return outputs, missing


def responses_of(run: Run, step_ids: list[str], iteration: int) -> dict[str, JsonValue]:
    """Step id → the answer that its last attempt of such an iteration got. One query, none for no steps."""
    if not step_ids:
        return {}
    rows = run.commands.filter(
        kind="run_action", step_id__in=step_ids, purpose=Purpose.FORWARD, iteration__lte=iteration
    )
    rows = rows.exclude(outcome=Outcome.PARKED).order_by("iteration", "attempt")
    found = {step_id: response_in(detail) for step_id, detail in rows.values_list("step_id", "detail")}
    return {step_id: response for step_id, response in found.items() if response is not None}


def response_in(detail: Mapping[str, Any]) -> JsonValue:
    """The answer as an attempt keeps it: {"status": 201, "headers": {…}, "location": …}; None where none came.

    `location` is where the header Location leads from the URL that was asked.
    """
    if not isinstance(detail.get("status"), int):
        return None
    headers = detail.get("headers")
    response: dict[str, JsonValue] = {"status": detail["status"], "headers": headers or {}}
    location = headers.get("location") if isinstance(headers, Mapping) else None
    if location and isinstance(detail.get("url"), str):
        with contextlib.suppress(ValueError):
            response["location"] = urljoin(detail["url"], location)
    return response
