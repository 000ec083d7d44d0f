"""Checks a policy and its people: refuses what nobody could approve, and warns of what is probably not meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from approvals.core.approval.feasibility import short_of, too_few_for_all
from approvals.core.approval.plan import Plan, StagePlan, counted_once, doubles, in_order
from approvals.core.enums import AtTheEnd, Authority
from approvals.core.policy.chain import names_in
from approvals.core.policy.definition import PolicyDefinition, Stage
from approvals.core.policy.hours import span_of
from approvals.policies import holidays, principals
from approvals.policies.principals import Person, ResolvedPrincipals
from foundation.clock import now
from foundation.errors import BadInput
from foundation.guarded import guarded
from foundation.identity.names import mailbox
from notifications import message as notified
from notifications.routing.recipients import unreachable
from notifications.services import existing_channels

CONTENT = ("context", "action", "description", "title")


def why_infeasible(plan: Plan, policy: PolicyDefinition, whom: ResolvedPrincipals) -> str:
    """The message of `require_feasible`; '' for what can be asked."""
    try:
        require_feasible(plan, policy, whom)
    except BadInput as refusal:
        return refusal.message
    return ""


def require_feasible(plan: Plan, policy: PolicyDefinition, whom: ResolvedPrincipals) -> None:
    """Refuse a plan that cannot be approved, when it is asked and not when its time is over.

    An empty list of people never means anyone, and accounts of one mailbox count as one person.

    Raises:
        BadInput: a stage has too few people, nobody, or an escalation that hands over to nobody.
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
                f"at most, since the requester does not count and one mailbox counts as one person{_why(whom)}",
                field="how_many", remedy="ask for fewer, or name more people",
            )  # fmt: skip
    if too_few_for_all(plan):
        raise BadInput(
            "the stages need more people together than there are: each decides once in a request", field="policy",
            remedy="give more people the role approver, or change the policy",
        )  # fmt: skip


def _refuse_empty_transfer(stage: Stage, whom: ResolvedPrincipals) -> None:
    for level in stage.escalate:
        names = names_in(level.to)
        if level.authority is Authority.TRANSFER and not any(whom.named.get(name) for name in names):
            raise BadInput(
                f"escalation of stage '{stage.name}' would leave nobody who can decide: {', '.join(names)}{_why(whom)}",
                field="policy", remedy="put people who may decide there, or change the policy",
            )  # fmt: skip


def _refuse_nobody(plan: Plan, stage: StagePlan, whom: ResolvedPrincipals) -> None:
    able = stage.people | frozenset().union(*(level.people for level in stage.levels))
    if not able - plan.barred:
        why = "; ".join(whom.left_out) or "it has no member but the requester"
        raise BadInput(
            f"nobody can decide stage '{stage.name}': {why}", field="policy",
            remedy="give people the role approver, or change the policy",
        )  # fmt: skip


def _why(whom: ResolvedPrincipals) -> str:
    return f" ({'; '.join(whom.left_out)})" if whom.left_out else ""


def policy_warnings(policy: PolicyDefinition) -> list[str]:
    """One sentence for each, with its place. None of them keeps a policy from being published."""
    stages = [one for stage in policy.stages for one in _of_stage(stage)]
    return [*stages, *_of_people(policy), *holidays.unsure_of(policy, now())]


def _of_stage(stage: Stage) -> Iterator[str]:
    clocks = [("remind", text) for text in stage.remind] + [("escalate", level.after) for level in stage.escalate]
    for name, text in clocks:
        for end_name, end in (("expire", stage.expire), ("latest", stage.latest)):
            if end is not None and _is_never_before(text, end):
                yield f"stage '{stage.name}': {name} at {text} never comes, since {end_name} is {end}"
    there = existing_channels(stage.channels)
    for channel in stage.channels:
        if channel not in there:
            yield f"stage '{stage.name}': there is no channel '{channel}' yet; until there is, it is left out"
    for path in stage.editable:
        if path.partition(".")[0] not in CONTENT:
            yield f"stage '{stage.name}': editable '{path}' is nothing of a request's: {', '.join(CONTENT)}"


def _is_never_before(text: str | float, end: str | float) -> bool:
    """Of lengths of the same kind of time; how others compare depends on the day."""
    one, other = span_of(text), span_of(end)
    return one.business == other.business and one.seconds > other.seconds


def _of_people(policy: PolicyDefinition) -> list[str]:
    return guarded(lambda: list(_of_silence(policy, principals.resolve(policy))), _of_nobody)


def _of_nobody(error: Exception) -> list[str]:
    """A look-up of who is on call is the site's own, and so are its errors."""
    if isinstance(error, BadInput):
        return [f"{error.message}; a request is refused until there is"]
    return [f"who it comes to could not be looked up ({type(error).__name__}); a request is refused until it can be"]


def _of_silence(policy: PolicyDefinition, whom: ResolvedPrincipals) -> Iterator[str]:
    """Where silence is an approval, it is only that of people who were reached."""
    for stage in policy.stages:
        if stage.at_the_end is not AtTheEnd.APPROVE:
            continue
        ids = {one for name in names_in(stage.who) for one in whom.named.get(name, ())}
        unheard = unreachable_among(whom.people[one] for one in ids if one in whom.people)
        if unheard:
            names = ", ".join(f"{whom.people[one].name} ({unheard[one]})" for one in in_order(unheard))
            yield f"stage '{stage.name}': the silence of whom no message reaches is no yes: {names}"


def unreachable_among(people: Iterable[Person]) -> dict[str, str]:
    """{person id: why}: people whom no message that is not urgent would reach now (no address, or muted)."""
    return unreachable(
        [notified.Person(user_id=one.user_id, name=one.name, email=one.email, id=one.id) for one in people]
    )
