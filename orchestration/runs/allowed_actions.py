"""The verbs that a person may use on a run now: legal in the run's state, and allowed to one of the person's roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.core.enums import Answer, Verb
from orchestration.ledger.store import load_state
from orchestration.models import Run
from orchestration.runs.acts import NEEDS_STEP, event_for, permission_for, why_not

GRAVE = frozenset({Verb.ABORT, Verb.FORCE_STOP})
"""They cannot be taken back, so their buttons look it."""

MOST_STEPS = 500
"""Steps of a run up to which a view says for each what may be done to it: the cost grows with their square."""


def verbs_of_the_run(run: Run, actor: Actor) -> list[Verb]:
    """The verbs that need no step."""
    found = [verb for verb in Verb if verb not in NEEDS_STEP and permissions.may(actor, permission_for(verb))]
    return [verb for verb in found if _legal(run, actor, verb)]


def verbs_of_steps(run: Run, actor: Actor, step_ids: Iterable[str]) -> dict[str, list[Verb]]:
    """{step id: the verbs that may be used on it}."""
    state = load_state(run)
    found: dict[str, list[Verb]] = {step_id: [] for step_id in step_ids}
    for verb in Verb:
        if verb not in NEEDS_STEP or not permissions.may(actor, permission_for(verb)):
            continue
        for step_id, verbs in found.items():
            event = event_for(verb=verb, actor=actor, step_id=step_id, note="-", answer=Answer.RETRY)
            if not why_not(run, verb, event, state):
                verbs.append(verb)
    return found


def _legal(run: Run, actor: Actor, verb: Verb) -> bool:
    event = None if verb is Verb.RESTART else event_for(verb=verb, actor=actor)
    return not why_not(run, verb, event)


def with_allowed_actions(run: Run, view: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """The view of a run (queries.run_view) with the verbs that this actor may use on it and on each step now."""
    view = view | {"allowed_actions": [verb.value for verb in verbs_of_the_run(run, actor)]}
    if len(view["steps"]) > MOST_STEPS:
        return view
    verbs = verbs_of_steps(run, actor, [step["step_id"] for step in view["steps"]])
    steps = [step | {"allowed_actions": [verb.value for verb in verbs[step["step_id"]]]} for step in view["steps"]]
    return view | {"steps": steps}


def may_act(actor: Actor) -> bool:
    """Whether the actor's roles allow any verb, whatever the run's state."""
    return any(permissions.may(actor, permission_for(verb)) for verb in Verb)
