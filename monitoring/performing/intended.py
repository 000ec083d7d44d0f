"""What a person may have done to a run now, and what it would come to."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy_checks import TELLING
from monitoring.core.recovery.actions import REMIND, TELL, WAKE, doing
from monitoring.recovery.candidates import Candidate
from monitoring.recovery.policies import armed
from monitoring.watch.judge import judge
from monitoring.watch.site import away
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import get_run, preview
from orchestration.runs.acts import permission_for

IN_WORDS = {
    WAKE: "what is stored for the run is delivered again, and its engine looks at it",
    TELL: "people are told of it",
    REMIND: "those who are asked are reminded",
}


@dataclass(frozen=True, slots=True)
class Intended:
    """What an action would come to. `lines`: in words; `refusal`: why it is not legal now, '' if it is."""

    action: RecoveryAction | None
    lines: list[str]
    refusal: str = ""


def intended(workflow_id: str, action: str | None, *, actor: Actor, step_id: str = "") -> Intended:
    """What `trigger` would do now. Changes nothing.

    Raises:
        NotFound: there is no such run.
        BadInput: an unknown action or step.
        NotAllowed: the actor has no role.
    """
    run = get_run(workflow_id)
    one, chosen = candidate(run), named(action) if action else None
    if chosen is None:
        chosen, step_id = recommended(one, step_id)
    if chosen is None:
        return Intended(None, [], NOTHING)
    found = doing(chosen, one.facts, by_hand=True, step_id=step_id)
    lines = [line for act in found.acts for line in _lines(run, act.verb, act.step_id, actor)]
    return Intended(chosen, lines, found.refusal)


NOTHING = "nothing is wrong with it that an action would mend"


def _lines(run: Run, verb: str, step_id: str, actor: Actor) -> list[str]:
    if verb in IN_WORDS:
        return [IN_WORDS[verb]]
    found = preview(workflow_id=run.workflow_id, verb=Verb(verb), actor=actor, step_id=step_id)
    return [f"{verb} {step_id}".strip(), *(f"  {line}" for line in found.lines)]


def may(actor: Actor, one: Candidate) -> list[RecoveryAction]:
    """What `trigger` would take now of a run that was just judged, besides NOTIFY and ESCALATE, always legal."""
    return [action for action in RecoveryAction if action not in TELLING and _may(action, one, actor)]


def _may(action: RecoveryAction, one: Candidate, actor: Actor) -> bool:
    if not permissions.may(actor, "recovery.trigger"):
        return False
    verbs = [act.verb for act in doing(action, one.facts, by_hand=True).acts]
    needed = {"run.act" if verb == WAKE else permission_for(Verb(verb)) for verb in verbs}
    return bool(verbs) and all(permissions.may(actor, what) for what in needed)


def named(word: str) -> RecoveryAction:
    """The action that a word names, in any case.

    Raises:
        BadInput: there is none.
    """
    try:
        return RecoveryAction(word.lower())
    except (ValueError, AttributeError):
        known = ", ".join(RecoveryAction)
        raise BadInput(
            f"'{str(word)[:40]}' is no action of recovery", field="recovery_action", value=str(word)[:40],
            remedy=f"one of: {known}",
        ) from None  # fmt: skip


def candidate(run: Run) -> Candidate:
    return judge([run.pk], away(), armed=armed())[0].candidate


def recommended(one: Candidate, step_id: str) -> tuple[RecoveryAction | None, str]:
    for issue in one.health.issues:
        if issue.act is not None and issue.act.action is not None and step_id in ("", issue.step_id):
            return issue.act.action, step_id or issue.act.step_id
    return None, step_id
