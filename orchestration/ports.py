"""What orchestration asks of apps that may not be imported here: the gates of steps, and flows of other kinds of run.

A gated step asks the gate before it acts; the setting ZEN_APPROVAL_GATE names it. A flow of another kind keeps its
state in rows of its own, and only its time with an engine (docs/adr/0006); ZEN_FLOWS names one for each kind. A system
check holds both settings against the Protocols here at every start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from django.conf import settings
from pydantic import JsonValue

from foundation.errors import BadInput
from foundation.ports import named
from orchestration.core.definition import Problem, SagaDefinition, StepDefinition
from orchestration.core.definition.actions import Approval
from orchestration.core.enums import Cause
from orchestration.models import Command, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """A gated step is about to act.

    `ask`: what people are asked; `action`: what it will do once approved, None for nothing.

    `row`: the command of the attempt. `key`: the step's idempotency key, under which a grant is spent once.
    """

    run: Run
    row: Command
    step: StepDefinition
    key: str
    ask: Mapping[str, JsonValue]
    action: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpen:
    """The step may act.

    `action`: the action as it was approved; None where the gate is all there is, with its `output`.
    """

    output: JsonValue = None
    action: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateClosed:
    """The step may not act. `parked`: no decision yet, and the step will be told to look again.

    Otherwise it was refused for good: `why` in words, and `cause` for the run.
    """

    parked: bool = False
    why: str = ""
    cause: Cause | None = None


@runtime_checkable
class ApprovalGate(Protocol):
    """What answers for the gates of steps: `approvals.gate.GATE`, unless ZEN_APPROVAL_GATE names another."""

    def check(self, step_id: str, ask: Mapping[str, JsonValue]) -> None:
        """Check a gate before anything runs. Called when a definition is published and when a run starts.

        What comes from a template is not known yet, and is passed over.

        Raises:
            BadInput: with a field of `ask`, when this could not be asked, such as people or policies that do not exist.
        """

    def evaluate(self, asked: GateRequest) -> GateOpen | GateClosed:
        """Whether the step may act now. Opens a request when there is none; safe to call again for the same attempt.

        Raises:
            Unreachable: it cannot be told now; the attempt is repeated later.
        """

    async def ask(self, workflow_id: str, stage: str, description: str, **more: Any) -> dict[str, Any]:
        """Ask people about a workflow from Python; returns the request as JSON.

        Raises:
            BadInput: what is asked is not valid.
            Unreachable: the engine that was asked for is away.
        """


def approval_gate() -> ApprovalGate:
    """The gate that ZEN_APPROVAL_GATE names."""
    found: ApprovalGate = named(settings.ZEN_APPROVAL_GATE)
    return found


def gate_problems(definition: SagaDefinition) -> list[Problem]:
    """One problem for each gate that could not be asked.

    Its step would fail, and the steps before it would be undone.
    """
    found = []
    for step in definition.steps:
        own = step.forward_action if isinstance(step.forward_action, Approval) else None
        ask, where = (own, "forward_action") if own else (step.approval, "approval")
        if ask is None:
            continue
        try:
            approval_gate().check(step.step_id, ask.model_dump(mode="json", exclude_unset=True))
        except BadInput as error:
            field, told = f"{where}.{error.field}", {"message": error.message, "remedy": error.remedy}
            found.append(Problem(step=step.step_id, field=field, value="", **told))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """When the engine has to call `on_timer` again (aware UTC); None: not until a person acts. `ended`: never again."""

    due: datetime | None = None
    ended: bool = False


@runtime_checkable
class ExternalFlow(Protocol):
    """A flow that keeps its state in rows of its own. ZEN_FLOWS names one for each kind of run."""

    def on_timer(self, run_pk: int, at: datetime) -> Next:
        """Do what was due by `at`, and say when to call again.

        Called at least once for each due time, and sometimes too early.

        `at` is the database's time. The time of a Temporal server is not used: those who can write to that server could
        otherwise make a deadline pass.
        """

    def on_message(self, run: Run, event: dict[str, Any]) -> str:
        """Take a stored message of the run; returns the refusal in words, or ''. The same message may come twice."""

    def why(self, run: Run) -> list[str]:
        """In words: what the run waits for, and who can make it go on."""

    def page(self, run: Run) -> str:
        """The path of the page on which people see the run and act on it."""


def kinds() -> list[str]:
    """Every kind of run. Asked while pages are imported, before a check could say that ZEN_FLOWS names nothing."""
    return [*Run.SAGAS, *(settings.ZEN_FLOWS or ())]


def kept(kind: str) -> ExternalFlow | None:
    """The flow of a kind of run; None for a saga, whose engine keeps its state as well."""
    path = settings.ZEN_FLOWS.get(kind)
    found: ExternalFlow | None = named(path) if path else None
    return found


def pages_of(run: Run) -> list[tuple[Run, str]]:
    """Where people act on what the run waits for, its own page included: each run with the path of its page."""
    open_ones = run.children.filter(kind__in=list(settings.ZEN_FLOWS), finished_at=None)
    return [(one, flow.page(one)) for one in (run, *open_ones) if (flow := kept(one.kind)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOnPage:
    """How a run does, for its page. `status`: healthy, warning, critical or unknown; `lines`: (what is wrong, what to
    do) with the worst first; `recovery`: what was done about it by itself, and why no more, in sentences."""

    status: str
    lines: Sequence[tuple[str, str]] = ()
    recovery: Sequence[str] = ()


@runtime_checkable
class HealthReader(Protocol):
    """Who says on a run's page how it does: `monitoring.run_page.HEALTH`, unless ZEN_RUN_HEALTH names another."""

    def on_page(self, run: Run) -> HealthOnPage | None:
        """The health of a run now; None where it is not watched. Never fails for a run that is there."""


def health_on_page(run: Run) -> HealthOnPage | None:
    """What the reader that ZEN_RUN_HEALTH names says."""
    reader: HealthReader = named(settings.ZEN_RUN_HEALTH)
    return reader.on_page(run)


def flow_of(run_kind: str) -> ExternalFlow:
    """The flow of a kind of run. Raises LookupError for a kind that ZEN_FLOWS does not name."""
    found = kept(run_kind)
    if found is None:
        raise LookupError(f"runs of kind '{run_kind}' keep no state of their own (ZEN_FLOWS)")
    return found
