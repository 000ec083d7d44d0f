"""The verbs that a person may use on a run now: legal as the run stands, and allowed to one of the person's roles."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration import roles
from orchestration.audit import Actor
from orchestration.core.guards import refusal
from orchestration.core.words import Answer, Verb
from orchestration.ledger import load_state
from orchestration.models import Run
from orchestration.plans import plan_of
from orchestration.services.acts import NEEDS_STEP, event_for, permission_for

GRAVE = frozenset({Verb.ABORT, Verb.FORCE_STOP})
"""They cannot be taken back, so their buttons look it."""


def verbs_of_the_run(run: Run, actor: Actor) -> list[Verb]:
    found = [verb for verb in Verb if verb not in NEEDS_STEP and roles.may(actor, permission_for(verb))]
    return [verb for verb in found if _legal(run, actor, verb)]


def verbs_of_steps(run: Run, actor: Actor, step_ids: Iterable[str]) -> dict[str, list[Verb]]:
    """For each of these steps the verbs that name it."""
    plan, state = plan_of(run), load_state(run)
    found: dict[str, list[Verb]] = {step_id: [] for step_id in step_ids}
    for verb in Verb:
        if verb not in NEEDS_STEP or not roles.may(actor, permission_for(verb)):
            continue
        for step_id, verbs in found.items():
            event = event_for(verb=verb, actor=actor, step_id=step_id, note="-", answer=Answer.RETRY)
            if not refusal(plan, state, event):
                verbs.append(verb)
    return found


def _legal(run: Run, actor: Actor, verb: Verb) -> bool:
    if verb is Verb.RESTART:
        return run.finished_at is not None
    event = event_for(verb=verb, actor=actor)
    return not refusal(plan_of(run), load_state(run), event)


def may_act(actor: Actor) -> bool:
    """Whether there is any verb for this person at all."""
    return any(roles.may(actor, permission_for(verb)) for verb in Verb)
