"""What cannot be asked, because nobody could ever say yes to it: refused when it is asked, simulated or replayed."""

from __future__ import annotations

from approvals.core.chain import names_in
from approvals.core.doubles import counted_once, doubles
from approvals.core.feasible import short_of, too_few_for_all
from approvals.core.plan import Plan, StagePlan
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.words import Authority
from approvals.people import Found
from notifications.addresses import mailbox
from orchestration.errors import BadInput


def why_hopeless(plan: Plan, policy: PolicyDefinition, whom: Found) -> str:
    """The words of the refusal; '' for what can be asked."""
    try:
        refuse_hopeless(plan, policy, whom)
    except BadInput as refusal:
        return refusal.message
    return ""


def refuse_hopeless(plan: Plan, policy: PolicyDefinition, whom: Found) -> None:
    """An empty list never means anyone, and five of one person are never had: who asks hears of it now, and not when
    the clock has run out.
    """
    plan = counted_once(plan, doubles({person: mailbox(one.email) for person, one in whom.people.items() if one.email}))
    for stage in policy.stages:
        _refuse_empty_transfer(stage, whom)
    for stage_plan in plan.stages:
        _refuse_nobody(plan, stage_plan, whom)
        if short := short_of(plan, stage_plan):
            needed, most = short
            raise BadInput(
                f"stage '{stage_plan.name}' needs {needed} approvals, each by another person, and can have {most} "
                f"at most, since whoever asks does not count and one mailbox is one person{_why(whom)}",
                field="how_many", remedy="ask for fewer, or name more people",
            )  # fmt: skip
    if too_few_for_all(plan):
        raise BadInput(
            "the stages need more people together than there are: each decides once in a request", field="policy",
            remedy="give more people the role approver, or change the policy",
        )  # fmt: skip


def _refuse_empty_transfer(stage: Stage, whom: Found) -> None:
    for level in stage.escalate:
        names = names_in(level.to)
        if level.authority is Authority.TRANSFER and not any(whom.named.get(name) for name in names):
            raise BadInput(
                f"escalation of stage '{stage.name}' would hand over to nobody: {', '.join(names)}{_why(whom)}",
                field="policy", remedy="put people who may decide there, or change the policy",
            )  # fmt: skip


def _refuse_nobody(plan: Plan, stage: StagePlan, whom: Found) -> None:
    able = stage.people | frozenset().union(*(level.people for level in stage.levels))
    if not able - plan.barred:
        why = "; ".join(whom.left_out) or "nobody is in it, or only whoever asks"
        raise BadInput(
            f"nobody can decide stage '{stage.name}': {why}", field="policy",
            remedy="give people the role approver, or change the policy",
        )  # fmt: skip


def _why(whom: Found) -> str:
    return f" ({'; '.join(whom.left_out)})" if whom.left_out else ""
