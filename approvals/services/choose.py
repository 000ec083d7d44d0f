"""Which policy a request goes through, and who is left out of it."""

from __future__ import annotations

from typing import Any

from approvals import people
from approvals.core.plan import Plan
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.spans import span_of
from approvals.core.words import AtTheEnd
from approvals.models import Policy
from approvals.people import Found
from approvals.services.policies import check_policy, policy_for
from approvals.services.question import Ask
from orchestration.audit import Actor
from orchestration.errors import BadInput
from orchestration.services.start import Parent


def policy_of(given: Ask) -> tuple[Policy | None, PolicyDefinition]:
    """The stored version, or None for one that has to be stored for this request; and what it says."""
    if given.approvers:
        stored, policy = None, check_policy(_own_policy(given))
    else:
        stored, policy = policy_for(given.policy, given.stage)
    if given.timeout_seconds is None and not given.editable:
        return stored, policy
    return None, _narrowed(policy, given)


def _own_policy(given: Ask) -> dict[str, Any]:
    """The policy of a request that names its approvers itself."""
    who: dict[str, list[str]] = {}
    for name in given.approvers:
        kind = "groups" if name.startswith("group:") else "emails" if "@" in name else "users"
        who.setdefault(kind, []).append(name.removeprefix("group:"))
    stage = {"name": "approval", "who": who, "how_many": given.how_many, "expire": "7d"}
    return {"policy": "named-approvers", "stages": [stage]}


def _narrowed(policy: PolicyDefinition, given: Ask) -> PolicyDefinition:
    """A request may ask for less time, and for what can be edited where the policy does not say."""
    return policy.model_copy(update={"stages": tuple(_narrow(stage, given) for stage in policy.stages)})


def _narrow(stage: Stage, given: Ask) -> Stage:
    """Where silence is a yes, whoever asks cannot shorten it."""
    changes: dict[str, Any] = {}
    if given.timeout_seconds is not None and stage.at_the_end is not AtTheEnd.APPROVE:
        changes["expire"] = _shorter(stage.expire, float(given.timeout_seconds))
    if given.editable and not stage.editable:
        changes["editable"] = given.editable
    return stage.model_copy(update=changes)


def _shorter(expire: str | float | None, seconds: float) -> str | float:
    if expire is None:
        return float(seconds)
    span = span_of(expire)
    return expire if not span.business and span.seconds <= seconds else float(seconds)


def barred_by(given: Ask, actor: Actor, parent: Parent | None) -> frozenset[str]:
    """Person ids of whoever asked, wrote it, owns the agent that did, or started the run that waits."""
    names = {actor.name, given.author, given.agent_owner}
    above = parent.run if parent else None
    while above is not None:
        names.add(above.created_by)
        above = above.parent
    return people.ids_of(names)


def refuse_nobody(plan: Plan, whom: Found) -> None:
    """An empty list never means anyone; who asks hears of it now, and not when the clock has run out."""
    for stage in plan.stages:
        able = stage.people | frozenset().union(*(level.people for level in stage.levels))
        if not able - plan.barred:
            why = "; ".join(whom.left_out) or "nobody is in it, or only whoever asks"
            raise BadInput(
                f"nobody can decide stage '{stage.name}': {why}", field="policy",
                remedy="give people the role approver, or change the policy",
            )  # fmt: skip
