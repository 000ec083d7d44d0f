"""Policies at the console."""

from __future__ import annotations

import json
from typing import Any

import typer

from approvals.console.requests import clock
from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Policy
from approvals.policies.checks import policy_warnings
from approvals.policies.publish import check_policy
from foundation.console import text
from foundation.console.exit_codes import BAD_INPUT, note
from foundation.errors import BadInput, NotFound
from orchestration.core.definition.problems import did_you_mean

Row = dict[str, Any]


def checked(data: object) -> PolicyDefinition:
    """The policy, or every problem on a line of its own and exit code 2."""
    try:
        return check_policy(data)
    except BadInput as error:
        if len(error.problems) < 2:
            raise
        for problem in error.problems:
            remedy = f"; {problem['remedy']}" if problem["remedy"] else ""
            said = f"{problem['field'] or 'the policy'}: {problem['message']} (got {problem['value']}){remedy}"
            note(f"zen: {text.visible(said, lines=False)}")
        raise typer.Exit(BAD_INPUT) from None


def rows() -> list[Row]:
    latest: dict[str, Policy] = {}
    for policy in Policy.objects.filter(published=True).order_by("name", "-version"):
        latest.setdefault(policy.name, policy)
    return [_row(policy) for policy in latest.values()]


def found(name: str, version: int = 0) -> Policy:
    versions = Policy.objects.filter(name=name, published=True).order_by("-version")
    policy = (versions.filter(version=version) if version else versions).first()
    if policy is None:
        known = sorted({row["policy"] for row in rows()})
        remedy = f"its latest version is {versions[0].version}" if versions else did_you_mean(name, known, "known")
        raise NotFound(f"there is no policy '{name}'{f' v{version}' if version else ''}", field="name", remedy=remedy)
    return policy


def view(policy: Policy) -> Row:
    return {**_row(policy), "body": policy.body}


def listed(given: list[Row]) -> None:
    if not given:
        note("no policy is published; any approver decides, within a day (`manage.py policy publish FILE`)")
        return
    columns = ("policy", "version", "stages", "published", "by", "hash")
    cells: list[list[object]] = [
        [row["policy"], row["version"], ", ".join(row["stages"]), clock(row["published_at"]), row["published_by"],
         row["hash"][:12]]
        for row in given
    ]  # fmt: skip
    text.table(*columns, rows=cells)


def shown(given: Row) -> None:
    text.line(
        f"{given['policy']} v{given['version']}, published by {given['published_by']} at {given['published_at'][:19]}"
    )
    text.line(json.dumps(given["body"], indent=2, ensure_ascii=False))


def _row(policy: Policy) -> Row:
    return {
        "policy": policy.name,
        "version": policy.version,
        "hash": policy.hash,
        "published_by": policy.published_by,
        "published_at": policy.published_at.isoformat(),
        "stages": [stage["name"] for stage in policy.body["stages"]],
    }


def doubted(policy: PolicyDefinition) -> None:
    for line in policy_warnings(policy):
        note(f"  but {text.visible(line)}")
