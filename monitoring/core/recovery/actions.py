"""What an action of recovery comes to on a run in its present state: the acts, or why not. Pure.

The same table for policies and for people: `by_hand` allows what a policy may not do by itself, such as to abort a run
that a person holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitoring.core.enums import RecoveryAction
from monitoring.core.facts import SAGAS, RunFacts, StepInTrouble
from orchestration.core.enums import Cause, RunStatus, Verb

BY_RECOVERY = "recovery:"
"""How the name of an actor begins that is a policy."""

WAKE, TELL, REMIND = "wake", "tell", "remind"
"""Acts that are no verb of a run: deliver and hand over what is stored; a message; remind those who are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act. `verb`: of the run (orchestration's `Verb`), or WAKE, TELL, REMIND; `cause`: of an abort."""

    verb: str
    step_id: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What an action comes to now: `acts` in order, or `refusal` in words. A restart is done once the run has ended."""

    acts: tuple[Act, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    facts: RunFacts
    by_hand: bool
    step_id: str


def doing(action: RecoveryAction, facts: RunFacts, *, by_hand: bool = False, step_id: str = "") -> Doing:
    """What `action` comes to. `step_id`: the only step that is meant; '' for all that it fits."""
    asked = _Asked(facts=facts, by_hand=by_hand, step_id=step_id)
    if action is RecoveryAction.NOTIFY:
        return _acts(Act(verb=TELL))
    if action is RecoveryAction.ESCALATE:
        return _acts(Act(verb=REMIND if facts.kind not in SAGAS and not facts.ended else TELL))
    if facts.kind not in SAGAS and action not in (RecoveryAction.CANCEL, RecoveryAction.WAKE):
        return _no("an approval can be cancelled, escalated and woken; its people decide the rest")
    return _TABLE[action](asked)


def held_by_a_person(facts: RunFacts) -> bool:
    """Whether a person's hold stands, which no policy takes away."""
    return facts.held and bool(facts.held_by) and not facts.held_by.startswith(BY_RECOVERY)


def _no(why: str) -> Doing:
    return Doing(refusal=why)


def _acts(*acts: Act) -> Doing:
    return Doing(acts=acts)


def _meant(asked: _Asked, steps: list[StepInTrouble]) -> list[StepInTrouble]:
    return [step for step in steps if asked.step_id in ("", step.step_id)]


def _blocked(facts: RunFacts) -> list[StepInTrouble]:
    return [step for step in facts.troubled if step.blocked]


def _held(facts: RunFacts) -> str:
    return f"the run is held by {facts.held_by}; release it first"


def _retry(asked: _Asked) -> Doing:
    facts = asked.facts
    if facts.ended:
        return _no(f"the run has ended ({facts.status}); restart it")
    if facts.status is RunStatus.PENDING:
        return _wake(asked)
    if held_by_a_person(facts):
        return _no(_held(facts))
    if facts.status is RunStatus.NEEDS_ATTENTION:
        return _resolve(asked)
    blocked = _meant(asked, _blocked(facts))
    if not blocked:
        named = f"step '{asked.step_id}' blocks nothing" if asked.step_id else "no step blocks the run"
        return _no(f"{named}; there is nothing to retry")
    unsafe = [step.step_id for step in blocked if _may_be_done(step) and not (step.has_probe or step.asks)]
    if unsafe and not asked.by_hand:
        return _no(f"'{unsafe[0]}' could be done twice: it has no probe, so a person decides")
    return Doing(acts=tuple(Act(verb=Verb.RETRY, step_id=step.step_id) for step in blocked))


def _may_be_done(step: StepInTrouble) -> bool:
    return step.status == "unknown"


def _resolve(asked: _Asked) -> Doing:
    failed = _meant(asked, [step for step in asked.facts.troubled if step.open_undo])
    if not failed:
        return _no("no compensation has failed that is still open; there is nothing to retry")
    return Doing(acts=tuple(Act(verb=Verb.RESOLVE, step_id=step.step_id) for step in failed))


def _restart(asked: _Asked) -> Doing:
    facts, again = asked.facts, Act(verb=Verb.RESTART)
    if facts.parent:
        return _no("its parent run waits for it; act on the parent")
    if facts.status is RunStatus.COMPLETED:
        return _acts(again) if asked.by_hand else _no("the run has completed; only a person restarts it")
    if facts.ended:
        return _acts(again)
    if facts.status is RunStatus.NEEDS_ATTENTION:
        return _no("first resolve the compensation that failed")
    if facts.status is RunStatus.COMPENSATING:
        return _acts(again)
    stopped = _abort(asked, Cause.OPERATOR)
    return stopped if stopped.refusal else Doing(acts=(*stopped.acts, again))


def _abort(asked: _Asked, cause: Cause) -> Doing:
    facts = asked.facts
    if facts.ended:
        return _no(f"the run has ended ({facts.status})")
    if facts.status is RunStatus.COMPENSATING:
        return _no("the run is already compensating")
    if facts.status is RunStatus.NEEDS_ATTENTION:
        return _no("a compensation has failed; it is to be resolved first")
    if held_by_a_person(facts) and not asked.by_hand:
        return _no(_held(facts))
    if facts.pivot_passed:
        return _no("the run has passed its pivot, so nothing is undone; retry or skip what blocks it")
    return _acts(Act(verb=Verb.ABORT, cause=cause.value))


def _rollback(asked: _Asked) -> Doing:
    if asked.facts.status is RunStatus.NEEDS_ATTENTION:
        return _resolve(asked)
    return _abort(asked, Cause.FAILURE)


def _cancel(asked: _Asked) -> Doing:
    return _abort(asked, Cause.CANCELLED)


def _skip(asked: _Asked) -> Doing:
    facts = asked.facts
    if facts.ended or facts.status in (RunStatus.COMPENSATING, RunStatus.NEEDS_ATTENTION):
        return _no(f"the run is {facts.status}; there is no forward step to skip")
    if held_by_a_person(facts):
        return _no(_held(facts))
    blocked = _meant(asked, _blocked(facts))
    if not blocked:
        if asked.by_hand and asked.step_id:
            return _acts(Act(verb=Verb.SKIP, step_id=asked.step_id))
        return _no("no step blocks the run; name the step that is to be skipped")
    needed = [step.step_id for step in blocked if not step.can_skip]
    if needed and not (asked.by_hand and asked.step_id):
        return _no(f"'{needed[0]}' is critical and has no default_output; a person decides")
    return Doing(acts=tuple(Act(verb=Verb.SKIP, step_id=step.step_id) for step in blocked))


def _pause(asked: _Asked) -> Doing:
    facts = asked.facts
    if facts.ended or facts.status in (RunStatus.COMPENSATING, RunStatus.NEEDS_ATTENTION):
        return _no(f"the run is {facts.status}; only forward work can be held")
    return _no("the run is held already") if facts.held else _acts(Act(verb=Verb.HOLD))


def _resume(asked: _Asked) -> Doing:
    facts = asked.facts
    if not facts.held or facts.ended:
        return _no(f"the run is not held, it is {facts.status}")
    if _blocked(facts):
        return _no("a step blocks the run; retry or skip it")
    if asked.by_hand or facts.held_by.startswith(BY_RECOVERY):
        return _acts(Act(verb=Verb.RELEASE))
    return _no(_held(facts) if facts.held_by else "only a person releases a hold that is not recovery's own")


def _wake(asked: _Asked) -> Doing:
    return _no("the run has ended") if asked.facts.ended else _acts(Act(verb=WAKE))


_TABLE: Mapping[RecoveryAction, Callable[[_Asked], Doing]] = {
    RecoveryAction.RETRY: _retry,
    RecoveryAction.RESTART: _restart,
    RecoveryAction.ROLLBACK: _rollback,
    RecoveryAction.CANCEL: _cancel,
    RecoveryAction.SKIP: _skip,
    RecoveryAction.PAUSE: _pause,
    RecoveryAction.RESUME: _resume,
    RecoveryAction.WAKE: _wake,
}
