"""Tools that check and start sagas."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from foundation.errors import BadInput
from orchestration.api.serializers import Checked, Matrix, RunOut
from orchestration.api.views_definitions import matrix_view
from orchestration.runs import check_definition, get_run, start_run
from orchestration.runs.definitions import published_body, warnings_now
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer
from zen_project.mcp.tools.fields import Engine, Json, NewHandle, Wait
from zen_project.mcp.tools.runs import run_answer

Definition = Annotated[
    Json,
    Field(description="the saga: saga_id, steps, each with step_id, forward_action and maybe compensation_action …"),
]


class Saga(Arguments):
    """A definition alone."""

    definition: Definition


class Start(Arguments):
    """What a start takes: a definition, or the name of a published one."""

    definition: Definition | None = None
    saga_id: Annotated[str, Field(max_length=100, description="of a published saga, instead of a definition")] = ""
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="of it; the latest if left out")] = None
    workflow_id: NewHandle | None = None
    context: Annotated[Json | None, Field(description="the input: laid over the definition's own")] = None
    config: Annotated[Json | None, Field(description="timeout_seconds, max_parallel …")] = None
    engine: Engine | None = None
    wait_seconds: Wait = 0


def validate_saga(caller: Caller, given: Saga) -> Answer:
    """Whether a saga could be published now, with warnings; nothing is stored."""
    checked = check_definition(given.definition)
    return {"saga_id": checked.saga_id, "steps": len(checked.steps), "warnings": warnings_now(checked)}


def preview_saga(caller: Caller, given: Saga) -> Answer:
    """How a run of a saga would end when each step fails, times out or is followed by an abort; nothing is stored."""
    return matrix_view(check_definition(given.definition))


def start_saga(caller: Caller, given: Start) -> Answer:
    """Start a saga; answers its run. With a workflow_id it can be called again: the same content is the same run."""
    if (given.definition is None) == (not given.saga_id):
        raise BadInput("give either a definition or a saga_id", field="definition")
    body = given.definition if given.definition is not None else published_body(given.saga_id, given.version)
    run, _ = start_run(
        definition=body,
        actor=caller.actor,
        workflow_id=given.workflow_id or "",
        engine=given.engine or "",
        context=given.context,
        config=given.config,
    )
    return run_answer(get_run(run.workflow_id), caller)


def again(caller: Caller, had: Answer) -> Answer:
    """The run of an answer, as it is now."""
    return run_answer(get_run(had["workflow_id"]), caller)


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="validate_saga", title="Validate a saga", arguments=Saga, answers=answer(Checked), do=validate_saga,
        reads=True,
    ),
    Entry(
        name="preview_saga", title="Preview a saga", arguments=Saga, answers=answer(Matrix), do=preview_saga,
        reads=True,
    ),
    Entry(
        name="start_saga", title="Start a saga", arguments=Start, answers=answer(RunOut), do=start_saga,
        idempotent=True, again=again,
    ),
)  # fmt: skip
