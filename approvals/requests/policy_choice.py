"""Which policy a request is put to, and who may not decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from pydantic import ValidationError

from approvals.core.content import Ask
from approvals.core.enums import AtTheEnd
from approvals.core.policy.definition import PolicyDefinition, Stage
from approvals.core.policy.form import NEW, FormField
from approvals.core.policy.hours import span_of
from approvals.models import Policy, Request
from approvals.policies import principals
from approvals.policies.principals import ResolvedPrincipals
from approvals.policies.publish import check_policy, policy_for
from foundation.errors import BadInput
from foundation.identity.actor import Actor
from orchestration.runs.contributors import Contributor, agents_of, asked_anew_by, givers_of
from orchestration.runs.new_run import Parent


def policy_of(given: Ask) -> tuple[Policy | None, PolicyDefinition]:
    """The stored version of the policy, or None if it has to be stored for this request; and its definition.

    Raises:
        BadInput: there is no such policy, or the one made of the request's own approvers is not valid.
    """
    if given.approvers:
        stored, policy = None, check_policy(_own_policy(given))
    else:
        stored, policy = policy_for(given.policy, given.stage)
    if given.timeout_seconds is None and not given.editable and not given.form:
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
    stages = [_narrow(stage, given) for stage in policy.stages]
    if given.form:
        stages[-1] = _with_form(stages[-1], given)
    return policy.model_copy(update={"stages": tuple(stages)})


def _with_form(stage: Stage, given: Ask) -> Stage:
    """The last stage asks what the request asks; a field of the policy keeps its name."""
    own = {field.name for field in stage.form}
    asked = tuple(_form_field(one, number) for number, one in enumerate(given.form))
    return stage.model_copy(update={"form": (*stage.form, *(one for one in asked if one.name not in own))})


def _form_field(one: Mapping[str, Any], number: int) -> FormField:
    try:
        return FormField.model_validate(dict(one), context=NEW)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(["form", str(number), *map(str, first["loc"])])
        remedy = "a field has name, type and choices, as in a policy"
        raise BadInput(f"{at}: {first['msg']}", field="form", remedy=remedy) from None


def _narrow(stage: Stage, given: Ask) -> Stage:
    """Where silence is an approval, the requester cannot shorten the time."""
    changes: dict[str, Any] = {}
    if given.timeout_seconds is not None and stage.at_the_end is not AtTheEnd.APPROVE:
        changes |= _shortened(stage, float(given.timeout_seconds))
    if given.editable and not stage.editable:
        changes["editable"] = given.editable
    return stage.model_copy(update=changes)


def _shortened(stage: Stage, seconds: float) -> dict[str, Any]:
    """The wall time that a length of working time takes is not known before it begins: both ends are kept then."""
    if stage.expire is None:
        return {"expire": seconds}
    if span_of(stage.expire).business:
        return {"latest": seconds} if _is_shorter(seconds, stage.latest) else {}
    return {"expire": seconds} if _is_shorter(seconds, stage.expire) else {}


def _is_shorter(seconds: float, text: str | float | None) -> bool:
    return text is None or seconds < span_of(text).seconds


def barred_by(given: Ask, actor: Actor, parent: Parent | None) -> frozenset[str]:
    """Person ids of those who may not decide.

    Who asked, wrote it, owns the agent, or started or defined the waiting run. What an agent at work asks may be
    answered by the person who set it to work, but never by an agent that did, or its owner.
    """
    known = given_by(given, actor)
    if given.for_agents:
        return principals.ids_of([*known, *(agents_of(parent.run) if parent is not None else ())])
    if parent is not None:
        known += [*givers_of(parent.run), *_asked_anew_by(parent)]
    return principals.ids_of(known)


def _asked_anew_by(parent: Parent) -> list[Contributor]:
    """The people who had the step retried or rerun since it was last asked: what it asks now is theirs as well."""
    before = Request.objects.filter(run__parent=parent.run, run__parent_step=parent.step_id).order_by("pk").last()
    return asked_anew_by(parent.run, parent.step_id, since=before.created_at) if before else []


def given_by(given: Ask, actor: Actor) -> list[Contributor]:
    """Who asks, for whom, who wrote it, and whose agent did."""
    named = (Contributor(None, given.author), Contributor(None, given.agent_owner))
    return [Contributor(actor.user_id, actor.name), Contributor(actor.owner_id, actor.owner), *named]


def refuse_strangers(given: Ask, whom: ResolvedPrincipals) -> None:
    """Those who ask may name accounts only, since an address could be their own. A published policy may name addresses.

    Raises:
        BadInput: an approver is no account, and ZEN_APPROVERS_BY_ADDRESS does not allow it.
    """
    strange = sorted(person.email for person in whom.people.values() if person.user_id is None)
    if given.approvers and strange and not settings.ZEN_APPROVERS_BY_ADDRESS:
        raise BadInput(
            f"'{strange[0]}' belongs to no account here, and a requester cannot let an address decide",
            field="emails", remedy="make an account for them, or have a policy published that names the address",
        )  # fmt: skip


@contextmanager
def as_it_was_asked(given: Ask) -> Iterator[None]:
    """Within the block, an error about the policy made of a request's approvers names the argument that was sent."""
    try:
        yield
    except BadInput as error:
        named = error.field in ("users", "groups", "emails", "on_call") and not given.approvers
        message = f"policy '{given.policy or given.stage}': {error.message}" if named else error.message
        problems = [{**one, "field": _asked(str(one["field"]), given)} for one in error.problems]
        field = _asked(error.field, given)
        raise BadInput(message, field=field, remedy=error.remedy, problems=problems) from None


def _asked(field: str, given: Ask) -> str:
    if not given.approvers:
        return "policy"
    return "how_many" if field.endswith("how_many") else "approvers"
