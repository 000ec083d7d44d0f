"""Gates: what a gated step asks before it acts. Who keeps them is named by the settings ZEN_GATE and ZEN_GATE_CHECK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import JsonValue

from orchestration.core.definition import Problem, SagaDefinition, StepDefinition
from orchestration.core.definition.actions import Approval
from orchestration.core.words import Cause
from orchestration.errors import BadInput
from orchestration.models import Command, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A gated step wants to act. `ask`: what people are asked; `action`: what it will do with their yes, if anything.

    `key`: the step's idempotency key, under which a grant is spent once.
    """

    run: Run
    row: Command
    step: StepDefinition
    key: str
    ask: Mapping[str, JsonValue]
    action: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """`action`: what may be done, as it was approved; None where the gate is all there is, with its `output`."""

    output: JsonValue = None
    action: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    """`parked`: nobody has decided yet, and the step will be told to look again. Else it is a no, and `cause` why."""

    parked: bool = False
    why: str = ""
    cause: Cause | None = None


Gate = Callable[[Knock], Open | Shut]


@lru_cache(maxsize=1)
def gate() -> Gate:
    found: Gate = import_string(settings.ZEN_GATE)
    return found


def gate_problems(definition: SagaDefinition) -> list[Problem]:
    """The gates that name who or what does not exist: their steps would fail, and those before them be undone."""
    found = []
    for step in definition.steps:
        own = step.forward_action if isinstance(step.forward_action, Approval) else None
        ask, where = (own, "forward_action") if own else (step.approval, "approval")
        if ask is None:
            continue
        try:
            _check()(step.step_id, ask.model_dump(mode="json", exclude_unset=True))
        except BadInput as error:
            field, told = f"{where}.{error.field}", {"message": error.message, "remedy": error.remedy}
            found.append(Problem(step=step.step_id, field=field, value="", **told))
    return found


@lru_cache(maxsize=1)
def _check() -> Callable[[str, Mapping[str, JsonValue]], None]:
    found: Callable[[str, Mapping[str, JsonValue]], None] = import_string(settings.ZEN_GATE_CHECK)
    return found
