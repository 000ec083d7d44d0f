"""Which policy a request goes through, and who is left out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from approvals import people
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.spans import span_of
from approvals.core.words import AtTheEnd
from approvals.models import Policy, Request
from approvals.people import Found
from approvals.services.policies import check_policy, policy_for
from approvals.services.question import Ask
from orchestration.audit import Actor
from orchestration.errors import BadInput
from orchestration.givers import Giver, asked_anew_by, givers_of
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
        changes |= _shortened(stage, float(given.timeout_seconds))
    if given.editable and not stage.editable:
        changes["editable"] = given.editable
    return stage.model_copy(update=changes)


def _shortened(stage: Stage, seconds: float) -> dict[str, Any]:
    """How much wall time a length of working time takes, nobody knows before it begins: both ends stay then."""
    if stage.expire is None:
        return {"expire": seconds}
    if span_of(stage.expire).business:
        return {"latest": seconds} if _is_shorter(seconds, stage.latest) else {}
    return {"expire": seconds} if _is_shorter(seconds, stage.expire) else {}


def _is_shorter(seconds: float, text: str | float | None) -> bool:
    return text is None or seconds < span_of(text).seconds


def barred_by(given: Ask, actor: Actor, parent: Parent | None) -> frozenset[str]:
    """Person ids of whoever asked, wrote it, owns the agent that did, or started or defined the run that waits."""
    known = given_by(given, actor)
    if parent is not None:
        known += [*givers_of(parent.run), *_asked_anew_by(parent)]
    return people.ids_of(known)


def _asked_anew_by(parent: Parent) -> list[Giver]:
    """Whoever had the step retried or rerun asks for what it asks anew; not whoever did so before it was asked."""
    before = Request.objects.filter(run__parent=parent.run, run__parent_step=parent.step_id).order_by("pk").last()
    return asked_anew_by(parent.run, parent.step_id, since=before.created_at) if before else []


def given_by(given: Ask, actor: Actor) -> list[Giver]:
    """Who asks, for whom, who wrote it, and whose agent did."""
    named = (Giver(None, given.author), Giver(None, given.agent_owner))
    return [Giver(actor.user_id, actor.name), Giver(actor.owner_id, actor.owner), *named]


def refuse_strangers(given: Ask, whom: Found) -> None:
    """Whoever asks names accounts: an address could be their own. Where a published policy names one, it decides."""
    strange = sorted(person.email for person in whom.people.values() if person.user_id is None)
    if given.approvers and strange and not settings.ZEN_APPROVERS_BY_ADDRESS:
        raise BadInput(
            f"'{strange[0]}' belongs to no account here, and whoever asks cannot let an address decide",
            field="emails", remedy="make an account for them, or have a policy published that names the address",
        )  # fmt: skip


@contextmanager
def as_it_was_asked(given: Ask) -> Iterator[None]:
    """An error about the policy made of a request's own approvers names what was sent, and not what became of it."""
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
