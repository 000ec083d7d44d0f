"""Publishes policies, and finds the one that a request is put to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from approvals.core.content import content_hash
from approvals.core.policy.definition import Escalation, PolicyDefinition, Stage, Who, WorkingHours
from approvals.core.policy.form import NEW, FormField
from approvals.models import Policy
from approvals.policies import conditions, principals
from approvals.policies.holidays import check_region
from foundation import audit
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.errors import BadInput
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.core.definition import DefinitionErrors
from orchestration.core.definition.problems import did_you_mean, is_echo, short
from orchestration.core.definition.shape import dotted, plain_json
from orchestration.core.likeness import bounded, nearest

STANDARD = "standard"
"""The policy of requests for which none was published: any approver, within a day."""

STANDARD_BODY: dict[str, Any] = {
    "policy": STANDARD,
    "description": "Any approver, within a day; nobody answering is a no.",
    "stages": [{"name": "approval", "who": {"groups": [permissions.APPROVER]}, "expire": "1d", "remind": ["4h"]}],
}

_MODELS = (PolicyDefinition, Stage, Who, Escalation, WorkingHours, FormField)
KEYS = sorted({key for model in _MODELS for key in model.model_fields})
KEYS_ARE_IN = "see docs/reference/policies.md for the keys"


@bounded
def check_policy(data: object) -> PolicyDefinition:
    """The policy in `data` (JSON), checked.

    Raises:
        BadInput: with every problem found.
    """
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
        conditions.check(policy.auto_approve, field="auto_approve")
    check_region(policy.hours.holidays)
    principals.check_addresses(policy)
    return policy


def publish_policy(*, data: object, actor: Actor) -> tuple[Policy, bool]:
    """Publish a version; returns it, and whether it is new.

    It counts from now on; open requests keep the version they have.

    Raises:
        BadInput: with every problem found.
        NotAllowed: the actor may not publish policies.
    """
    permissions.require(actor, "policy.publish")
    policy = check_policy(data)
    with statements.writing():
        statements.run(*lock_by_name(f"policy:{policy.policy}"))
        stored, new = _made_current(policy, actor)
        if new:
            audit.record(actor=actor, action="policy.publish", policy=str(stored))
    return stored, new


def _made_current(policy: PolicyDefinition, by: Actor) -> tuple[Policy, bool]:
    """The content becomes the version that counts. Content of an older version gets a new number."""
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
    """Store the policy that one request asks for: a version that no other request is put to.

    Inside the caller's transaction.
    """
    content = content_hash(policy.content())
    same = _stored(policy.policy, content)
    if same is None:  # one at a time counts the versions of a policy
        statements.run(*lock_by_name(f"policy:{policy.policy}"))
        same = _stored(policy.policy, content)
    return same or _next_version(policy, content, by=by, published=False)


def _next_version(policy: PolicyDefinition, content: str, *, by: Actor, published: bool) -> Policy:
    """A row with the next version number, under the policy's lock."""
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
    """The latest published version of a policy and its definition.

    Without a name that of the stage, or the standard one.

    The version is None for the standard policy where none was published under its name.

    Raises:
        BadInput: there is no policy with this name.
    """
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
    """The names, each once. A delegation for a policy that does not exist would never count.

    Raises:
        BadInput: with every name that no policy has.
    """
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
