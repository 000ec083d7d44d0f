"""Answers to a compensation that failed: one at a time, and an alternative that is performed as it is given."""

from __future__ import annotations

from typing import Any

from foundation.clock import now
from foundation.errors import BadInput, WrongState
from orchestration.actions.conditions import action_conditions
from orchestration.core.definition import DefinitionErrors, validate_action
from orchestration.core.enums import Purpose
from orchestration.core.saga.events import (
    Act,
)
from orchestration.core.saga.state import SagaState
from orchestration.core.templates import action_placeholders
from orchestration.models import Command, Run
from orchestration.runs.definitions import refuse_reserved_action

ANSWERED_BY = "answered_by"
"""Key of a failed undo's `detail`: the message with the answer that was given to it."""


def check_alternative(action: dict[str, Any], step_id: str) -> None:
    """An alternative is performed as it is given: a valid action without placeholders."""
    try:
        validate_action(action, undo=True, field="action", step=step_id)
        wrong = [*action_conditions(action, step=step_id, field="action")]
        if wrong:
            raise DefinitionErrors(wrong)
    except DefinitionErrors as errors:
        raise BadInput(str(errors), field="action", problems=errors.as_dicts()) from None
    refuse_reserved_action(action)
    names = action_placeholders(action)
    if names:
        listed = ", ".join(sorted(names))
        raise BadInput(f"the action holds placeholders ({listed})", field="action", remedy="write the values out")


def store_answer(run: Run, state: SagaState, event: Act, action: dict[str, Any] | None, message_id: str) -> None:
    """Note on a failed undo's row who answers it, and store the alternative that the answer names, if it names one.

    One answer at a time: the run hears of it later, and its rows later still, and an alternative that came meanwhile
    would be performed by a retry that was answered before. Alternatives are numbered: each has an idempotency key of
    its own, whatever tries it takes.

    Raises:
        WrongState: another answer is under way, whatever it says.
    """
    step_id = getattr(event, "step_id", "")
    step = state.step(step_id)
    of_step = run.commands.filter(step_id=step_id, purpose=Purpose.UNDO, iteration=step.in_hand)
    failed = of_step.filter(kind="run_action", attempt=step.undo_attempt).first()
    given = of_step.filter(kind="alternative").first()
    before = {failed.detail.get(ANSWERED_BY)} if failed else set()
    if given is not None and given.detail.get("undo_attempt") == step.undo_attempt:
        before.add(given.detail["message_id"])
    if run.messages.filter(message_id__in=before - {None}, refusal="").exists():
        raise WrongState("an answer has just been given for it", field="verb", remedy="see what comes of it")
    if failed is not None:
        failed.detail = {**failed.detail, ANSWERED_BY: message_id}
        failed.save(update_fields=["detail"])
    if action is None:
        return
    if given is None:
        given = Command(
            run=run, kind="alternative", step_id=step_id, iteration=step.in_hand, timer="", purpose=Purpose.UNDO,
            attempt=0, status=Command.DONE, due_at=now(),
        )  # fmt: skip
    number = int(given.detail.get("number", 0)) + 1
    given.undo_action = action
    given.detail = {"number": number, "undo_attempt": step.undo_attempt, "message_id": message_id}
    given.save()
