"""`approval away`: somebody decides for an account that is away."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from django_typer.management import command

from approvals.console.inputs import AsJson, Yes, account, moment
from approvals.console.preview import Preview, confirm
from approvals.models import Delegation
from approvals.policies.publish import named_policies
from approvals.requests import delegate_while_away
from foundation.console import text
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, put_json


class Absence(ConsoleCommand):
    @command()
    @guarded
    def away(
        self,
        user: Annotated[str, typer.Argument(help="who is away")],
        to_user: Annotated[str, typer.Option("--to", help="who decides for them")],
        from_time: Annotated[str, typer.Option("--from", help="from this time, such as 2026-11-25T09:00:00+01:00")],
        until: Annotated[str, typer.Option(help="until before this time")],
        policy: Annotated[list[str] | None, typer.Option(help="only for requests under this policy")] = None,
        reason: Annotated[str, typer.Option(help="shown to those who ask why")] = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Let another account decide for one that is away."""
        owner, to, starts, ends = (
            account(user, "user"),
            account(to_user, "to"),
            moment(from_time, "from"),
            moment(until, "until"),
        )
        policies = named_policies(policy or [], field="policy")
        under = f" under {', '.join(policies)}" if policies else ""
        line = (
            f"from {starts:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC {to} decides for {owner}{under}, one hop only"
        )
        confirm(f"{owner} is away", Preview(lines=(line,)), yes=yes)
        made = delegate_while_away(
            actor=actor(), owner=owner, to=to, starts_at=starts, ends_at=ends, policies=policies, reason=reason
        )
        put_json(_view(made)) if as_json else text.line(f"delegation {made.pk}: {line}")


def _view(made: Delegation) -> dict[str, Any]:
    return {
        "id": made.pk,
        "owner": made.owner.get_username(),
        "to": made.to.get_username(),
        "starts_at": made.starts_at.isoformat(),
        "ends_at": made.ends_at.isoformat(),
        "policies": made.policies,
        "reason": made.reason,
    }
