"""Whether a verb is legal on a run now, in words: `act`, previews and `allowed_actions` all ask here."""

from __future__ import annotations

from orchestration.core.enums import Verb
from orchestration.core.saga.events import Act
from orchestration.core.saga.guards import refusal
from orchestration.core.saga.state import SagaState
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Run
from orchestration.ports import kept
from orchestration.runs.archive.views import archive_of

OF_EXTERNAL_FLOWS = frozenset({Verb.ABORT, Verb.FORCE_STOP})
"""What a run takes whose flow keeps its own state; the flow has acts of its own for the rest."""


def why_never(run: Run, verb: Verb) -> str:
    """Why the verb is refused whatever step, note and answer come with it; '' when it depends on those."""
    if kept(run.kind) and verb not in OF_EXTERNAL_FLOWS:
        return "an approval can be decided, withdrawn or aborted; ask anew for another"
    if verb is Verb.RESTART and not run.finished_at:
        return f"the run is {run.status}; only an ended run can be restarted"
    if verb is Verb.RERUN and (archive := archive_of(run)) is not None:
        return f"what its steps gave was archived on {archive.at:%Y-%m-%d}, so none can be run again; restart the run"
    return ""


def why_not(run: Run, verb: Verb, event: Act | None, state: SagaState | None = None) -> str:
    """Why the verb is not legal now, in words; '' when it is.

    `event`: as `events.event_for` makes it; None for RESTART, which is no event of the run. `state`: the run's, where
    the caller has it.
    """
    why = why_never(run, verb)
    if why or event is None:
        return why
    return refusal(compiled_plan(run), load_state(run) if state is None else state, event)
