"""A recovery policy: which runs, in which state, what is done about it, and how often at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from enum import StrEnum
from typing import Any

from foundation.errors import BadInput
from monitoring.core import policy_checks as checks
from monitoring.core.conditions.reading import parse
from monitoring.core.conditions.tree import Condition
from monitoring.core.enums import RecoveryAction
from orchestration.core.likeness import bounded, nearest


class Mode(StrEnum):
    """`live`: it acts. `shadow`: what it would have done is written down. `off`: nothing."""

    OFF = "off"
    SHADOW = "shadow"
    LIVE = "live"


@dataclass(frozen=True)
class RecoveryPolicy:
    """What is done by itself about runs that meet `conditions`.

    `workflow_types`: kinds of run (saga, approval, multi_agent_project), `saga:<id>`, or `*` for all. `conditions`:
    {metric: {operator: value}} (docs/reference/recovery.md). `recovery_actions`: in turn, the first repeated until
    `max_recovery_attempts` are used up. `notification_channels`: scheme://handle, told besides the rules' own.
    `needs_approval`: actions that a person has to agree to first, under the approval policy `approval_policy`.
    `escalate_to`: whom ESCALATE tells. `canary`: of many runs with one trouble one is tried first. Numbers:
    `policy_checks.BOUNDS`.

    Raises:
        BadInput: a value that cannot be; it names the field, the value and what to write instead.
    """

    policy_id: str
    name: str
    workflow_types: Sequence[str]
    conditions: Mapping[str, Any]
    recovery_actions: Sequence[RecoveryAction]
    max_recovery_attempts: int = 3
    notification_channels: Sequence[str] = ()
    _: KW_ONLY
    mode: str = Mode.LIVE.value
    priority: int = 100
    hold_off_seconds: int = 0
    cooldown_seconds: int = 60
    max_per_hour: int = 20
    verify_seconds: int = 600
    needs_approval: Sequence[RecoveryAction] = (
        RecoveryAction.ROLLBACK, RecoveryAction.CANCEL, RecoveryAction.SKIP, RecoveryAction.RESTART,
    )  # fmt: skip
    approval_policy: str = "standard"
    escalate_to: Sequence[str] = ("group:operator",)
    canary: bool = True

    def __post_init__(self) -> None:
        """Check every field, and make lists tuples and words actions."""
        for name, value in _checked(self).items():
            object.__setattr__(self, name, value)

    @property
    def acting(self) -> tuple[RecoveryAction, ...]:
        """Its actions that act on the run, in turn."""
        return tuple(action for action in self.recovery_actions if action not in checks.TELLING)

    def condition(self) -> Condition:
        """Its conditions as a tree."""
        return parse(self.conditions)

    def applies_to(self, kind: str, saga_id: str) -> bool:
        """Whether it is about such runs."""
        return any(one in ("*", kind) or one == f"saga:{saga_id}" for one in self.workflow_types)

    def body(self) -> dict[str, Any]:
        """As JSON, by field."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}


def from_body(body: object) -> RecoveryPolicy:
    """The policy that a mapping with exactly these fields writes; those with a default may be left out.

    Raises:
        BadInput: no mapping, an unknown or a missing field, or a value that cannot be.
    """
    if not isinstance(body, Mapping):
        raise BadInput("a policy is a mapping of its fields", field="policy", remedy="see docs/reference/recovery.md")
    known = [one.name for one in fields(RecoveryPolicy)]
    for name in body:
        if name not in known:
            close = nearest(name, known)
            remedy = f"did you mean '{close}'?" if close else f"one of: {', '.join(known)}"
            raise BadInput(f"a policy has no field '{str(name)[:60]}'", field=str(name)[:60], remedy=remedy)
    missing = [name for name in known[:5] if name not in body]
    if missing:
        raise BadInput(f"the policy has no {missing[0]}", field=missing[0], remedy=f"give {', '.join(missing)}")
    return RecoveryPolicy(**{str(name): value for name, value in body.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@bounded
def _checked(policy: RecoveryPolicy) -> dict[str, Any]:
    found: dict[str, Any] = {
        "policy_id": checks.policy_id(policy.policy_id),
        "name": checks.text("name", policy.name),
        "workflow_types": checks.workflow_types(policy.workflow_types),
        "recovery_actions": checks.actions("recovery_actions", policy.recovery_actions, least=1),
        "notification_channels": checks.listed("notification_channels", policy.notification_channels),
        "mode": checks.one_of("mode", policy.mode, Mode),
        "needs_approval": checks.actions("needs_approval", policy.needs_approval),
        "approval_policy": checks.text("approval_policy", policy.approval_policy),
        "escalate_to": checks.listed("escalate_to", policy.escalate_to),
        "canary": checks.flag("canary", policy.canary),
    }
    found |= {field: checks.number(field, getattr(policy, field)) for field in checks.BOUNDS}
    checks.check_budget(found["recovery_actions"], found["max_recovery_attempts"])
    parse(policy.conditions)
    return found
