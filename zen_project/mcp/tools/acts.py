"""The verbs on a run, a tool each, and what a verb would do."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial, update_wrapper
from typing import Annotated, Any, Literal

from pydantic import Field

from orchestration.api.serializers import PreviewOut, RunOut
from orchestration.core.enums import Answer as Answers
from orchestration.core.enums import Verb
from orchestration.core.proposals import people_decide
from orchestration.runs import preview
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer
from zen_project.mcp.tools.fields import Json, Note, OfRun, StepId
from zen_project.mcp.tools.proposing import act_or_propose, or_proposal

VerbWord = Literal["hold", "release", "abort", "retry", "rerun", "skip", "resolve", "restart", "force-stop"]


PROPOSABLE = frozenset(verb for verb in Verb if any(people_decide(verb, word) for word in ("", *Answers)))
PROPOSED = " An agent only proposes it: the answer then names the approval in which people decide."


class OnRun(OfRun):
    """An act on a run."""

    note: Note = ""


class OnStep(OnRun):
    """An act on a step."""

    step_id: StepId


class Resolve(OnStep):
    """An answer to a failed compensation."""

    answer: Literal["retry", "done-by-hand", "alternative", "accept-loss"]
    action: Annotated[Json | None, Field(description="with alternative: the action to perform instead")] = None


class Which(Arguments):
    """A verb that is not used yet."""

    workflow_id: Annotated[str, Field(min_length=1, max_length=200, description="the run's handle")]
    verb: VerbWord
    step_id: StepId = ""


def preview_act(caller: Caller, given: Which) -> Answer:
    """What a verb would do to a run now, in words and as JSON, and why it is refused if it is. Changes nothing."""
    verb = Verb(given.verb)
    return asdict(preview(workflow_id=given.workflow_id, verb=verb, actor=caller.actor, step_id=given.step_id))


def acted(caller: Caller, given: OnRun, *, verb: Verb) -> Answer:
    """The run after the act, or what an agent has proposed."""
    return act_or_propose(caller, given.workflow_id, verb, **given.model_dump(exclude={"workflow_id"}))


def _verb(name: str, title: str, verb: Verb, arguments: type[OnRun], does: str, **hints: bool) -> Entry[Any]:
    do = update_wrapper(partial(acted, verb=verb), acted)
    do.__doc__ = does + (PROPOSED if verb in PROPOSABLE else "")
    shape = or_proposal(answer(RunOut)) if verb in PROPOSABLE else answer(RunOut)
    return Entry(name=name, title=title, arguments=arguments, answers=shape, do=do, **hints)  # type: ignore[arg-type]


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="preview_act", title="Preview an act", arguments=Which, answers=answer(PreviewOut), do=preview_act,
        reads=True,
    ),
    _verb("hold_run", "Hold a run", Verb.HOLD, OnRun, "Let a run start no new step until it is released."),
    _verb("release_run", "Release a run", Verb.RELEASE, OnRun, "Let a held run go on."),
    _verb("retry_step", "Retry a step", Verb.RETRY, OnStep, "Another try of a failed step that holds its run."),
    _verb(
        "rerun_step", "Rerun a step", Verb.RERUN, OnStep,
        "Repeat a step and everything after it, under new keys: effects are made again.", destroys=True,
    ),
    _verb("skip_step", "Skip a step", Verb.SKIP, OnStep, "Let a run go on without a step.", destroys=True),
    _verb(
        "resolve_step", "Resolve a failed compensation", Verb.RESOLVE, Resolve,
        "Answer a compensation that failed; `note` says what was done. The rollback goes on.", destroys=True,
    ),
    _verb(
        "abort_run", "Abort a run", Verb.ABORT, OnRun,
        "Stop a run and undo what it has done; preview_act says what that would be.", destroys=True,
    ),
    _verb(
        "restart_run", "Restart a run", Verb.RESTART, OnRun,
        "Start an ended run again, as a new run with the same input; answers the new one.",
    ),
    _verb(
        "force_stop_run", "Force-stop a run", Verb.FORCE_STOP, OnRun,
        "End a run now and undo nothing: what it has done stands.", destroys=True,
    ),
)  # fmt: skip
