"""Publish policies, and find the one that a request is put through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from approvals import people, rules
from approvals.calendars import check_region
from approvals.content import content_hash
from approvals.core.form import NEW, FormField
from approvals.core.policy import Escalation, PolicyDefinition, Stage, Who, WorkingHours
from approvals.models import Policy
from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.problems import did_you_mean, is_echo, short
from orchestration.core.definition.shape import dotted, plain_json
from orchestration.core.likeness import bounded, nearest
from orchestration.errors import BadInput
from orchestration.turns import turn

STANDARD = "standard"
"""The policy of requests for which nobody made one: any approver, within a day."""

STANDARD_BODY: dict[str, Any] = {
    "policy": STANDARD,
    "description": "Any approver, within a day; nobody answering is a no.",
    "stages": [{"name": "approval", "who": {"groups": [roles.APPROVER]}, "expire": "1d", "remind": ["4h"]}],
}

_MODELS = (PolicyDefinition, Stage, Who, Escalation, WorkingHours, FormField)
KEYS = sorted({key for model in _MODELS for key in model.model_fields})
KEYS_ARE_IN = "see docs/policies.md for the keys"


@bounded
def check_policy(data: object) -> PolicyDefinition:
    """The policy in `data`, or BadInput with every problem found."""
    try:
        policy = PolicyDefinition.model_validate(plain_json(data), context=NEW)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False) if not is_echo(detail)]
        first = problems[0]
        raise BadInput(
            f"{first['field'] or 'the policy'}: {first['message']}", field=str(first["field"]), problems=problems,
            remedy=str(first["remedy"]),
        ) from None  # fmt: skip
    except DefinitionErrors as errors:
        worst = errors.problems[0]
        message = f"{worst.field or 'the policy'}: {worst.message}"
        raise BadInput(message, field=worst.field, problems=errors.as_dicts(), remedy=worst.remedy) from None
    if policy.auto_approve:
        rules.check(policy.auto_approve, field="auto_approve")
    check_region(policy.hours.holidays)
    people.check_addresses(policy)
    return policy


def publish_policy(*, data: object, actor: Actor) -> tuple[Policy, bool]:
    """The version that counts from now on, and whether it did not yet. Open requests keep the version they have."""
    roles.require(actor, "policy.publish")
    policy = check_policy(data)
    with sql.writing():
        sql.run(*turn(f"policy:{policy.policy}"))
        stored, new = _made_current(policy, actor)
        if new:
            audit.record(actor=actor, action="policy.publish", policy=str(stored))
    return stored, new


def _made_current(policy: PolicyDefinition, by: Actor) -> tuple[Policy, bool]:
    """Whoever publishes means it to count: what an older version says comes again under a new number."""
    content = content_hash(policy.content())
    current, same = _latest(policy.policy), _stored(policy.policy, content)
    if current is not None and current.hash == content:
        return current, False
    if same is None or (current is not None and same.version < current.version):
        return _next_version(policy, content, by=by, published=True), True
    same.published = True  # so far it was only what a request had asked for in other words
    same.published_by, same.published_by_id = by.name, by.user_id
    same.save(update_fields=["published", "published_by", "published_by_id"])
    return same, True


def store_policy(policy: PolicyDefinition, *, by: Actor) -> Policy:
    """What a request asks for in its own words: a version that no other request is put through. Inside the caller's
    transaction.
    """
    content = content_hash(policy.content())
    same = _stored(policy.policy, content)
    if same is None:  # one at a time counts the versions of a policy
        sql.run(*turn(f"policy:{policy.policy}"))
        same = _stored(policy.policy, content)
    return same or _next_version(policy, content, by=by, published=False)


def _next_version(policy: PolicyDefinition, content: str, *, by: Actor, published: bool) -> Policy:
    """By whoever has the turn."""
    last = Policy.objects.filter(name=policy.policy).order_by("-version").first()
    return Policy.objects.create(
        name=policy.policy, version=last.version + 1 if last else 1, hash=content, published=published,
        body=policy.content(), published_by=by.name, published_by_id=by.user_id,
    )  # fmt: skip


def _stored(name: str, content: str) -> Policy | None:
    return Policy.objects.filter(name=name, hash=content).order_by("-version").first()


def _latest(name: str) -> Policy | None:
    return Policy.objects.filter(name=name, published=True).order_by("-version").first()


def policy_for(name: str, stage: str) -> tuple[Policy | None, PolicyDefinition]:
    """The latest version of a policy; without a name the one called as the stage is, else the standard one."""
    wanted = name or stage
    stored = _latest(wanted)
    if stored is not None:
        return stored, PolicyDefinition.model_validate(stored.body)
    if name not in ("", STANDARD):
        known = sorted({STANDARD, *Policy.objects.filter(published=True).values_list("name", flat=True)})
        raise BadInput(
            f"there is no policy '{name}'", field="policy", remedy=did_you_mean(name, known, "the policies are")
        )
    own = _latest(STANDARD)
    return own, PolicyDefinition.model_validate(own.body if own else STANDARD_BODY)


@bounded
def named_policies(names: Iterable[str], *, field: str = "policies") -> list[str]:
    """Each once, or BadInput with every name that no policy has: a rule for it would never count."""
    wanted = list(dict.fromkeys(names))
    known = sorted({STANDARD, *Policy.objects.values_list("name", flat=True)}) if wanted else []
    problems: list[dict[str, object]] = [
        {
            "field": f"{field}[{number}]",
            "value": short(name),
            "message": "there is no such policy",
            "remedy": did_you_mean(name, known, "the policies are"),
        }
        for number, name in enumerate(wanted)
        if name not in known
    ]
    if problems:
        first = problems[0]
        raise BadInput(
            f"there is no policy {first['value']}", field=field, remedy=str(first["remedy"]), problems=problems
        )
    return wanted


def _problem(detail: Any) -> dict[str, object]:
    path = tuple(part for part in detail["loc"] if not _is_branch(part))
    message = str(detail["msg"]).removeprefix("Value error, ")
    message, _, remedy = message.partition("; ")
    if detail["type"] == "extra_forbidden":
        close = nearest(str(path[-1]), KEYS)
        message, remedy = "is not a known key", f"did you mean '{close}'?" if close else KEYS_ARE_IN
    return {"field": dotted(path), "value": short(detail["input"]), "message": message, "remedy": remedy}


def _is_branch(part: object) -> bool:
    """pydantic's names of the members of a union."""
    return isinstance(part, str) and ("[" in part or part in ("str", "int", "float") or part.startswith("literal"))
