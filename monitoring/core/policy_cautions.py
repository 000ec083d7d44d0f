"""What a recovery policy is allowed to say and probably does not mean. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitoring.core.conditions import Leaf, cautions
from monitoring.core.conditions.tree import All
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy import RecoveryPolicy
from orchestration.core.enums import RunStatus

_FORWARD = frozenset({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING})
_OPEN = _FORWARD | {RunStatus.HELD, RunStatus.COMPENSATING, RunStatus.NEEDS_ATTENTION}
_ENDED_BADLY = frozenset({RunStatus.ROLLED_BACK, RunStatus.ROLLBACK_INCOMPLETE, RunStatus.FORCE_STOPPED})

FITS: Mapping[RecoveryAction, frozenset[RunStatus]] = {
    RecoveryAction.RETRY: frozenset({RunStatus.PENDING, RunStatus.HELD, RunStatus.NEEDS_ATTENTION}),
    RecoveryAction.RESTART: _FORWARD | _ENDED_BADLY | {RunStatus.HELD, RunStatus.COMPENSATING},
    RecoveryAction.ROLLBACK: _FORWARD | {RunStatus.HELD, RunStatus.NEEDS_ATTENTION},
    RecoveryAction.CANCEL: _FORWARD | {RunStatus.HELD},
    RecoveryAction.SKIP: frozenset({RunStatus.HELD}),
    RecoveryAction.PAUSE: _FORWARD,
    RecoveryAction.RESUME: frozenset({RunStatus.HELD}),
    RecoveryAction.WAKE: _OPEN,
    RecoveryAction.NOTIFY: frozenset(RunStatus),
    RecoveryAction.ESCALATE: frozenset(RunStatus),
}
"""In which statuses an action may be legal at all; `core.actions` says whether it is on a run."""


def policy_cautions(policy: RecoveryPolicy) -> list[str]:
    """Sentences for whoever publishes it; [] if nothing is doubtful."""
    return [*cautions(policy.condition()), *_statuses(policy)]


def _statuses(policy: RecoveryPolicy) -> Iterator[str]:
    """A status that is asked for, in which no action of the policy ever acts."""
    condition = policy.condition()
    parts = condition.parts if isinstance(condition, All) else (condition,)
    fitting = {status.value for action in policy.acting for status in FITS[action]}
    for leaf in parts:
        if not isinstance(leaf, Leaf) or leaf.metric != "status" or leaf.op not in ("==", "in") or not policy.acting:
            continue
        asked = [str(one) for one in (leaf.bound if isinstance(leaf.bound, tuple) else (leaf.bound,))]
        if not fitting & set(asked):
            actions = ", ".join(action.value for action in policy.acting)
            yield f"status is {' or '.join(asked)}, in which none of its actions ({actions}) is legal"
