"""`manage.py token`: API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from django_typer.management import command

from foundation.clock import now
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, note
from foundation.identity.permissions import account_called
from foundation.identity.tokens import issue_token, revoke_token


class Command(ConsoleCommand):
    help = "Make and withdraw API tokens."

    @command()
    @guarded
    def create(
        self,
        user: Annotated[str, typer.Argument(help="the user that the token acts as")],
        name: Annotated[str, typer.Option(help="what the token is for")] = "",
        days: Annotated[int, typer.Option(min=0, help="days until it expires; 0: valid until it is revoked")] = 0,
        scope: Annotated[
            list[str] | None, typer.Option(help="limit the token to this permission; may be repeated")
        ] = None,
        agent: Annotated[
            bool, typer.Option(help="for an agent, a program that acts by itself: it can never decide")
        ] = False,
        owner: Annotated[
            str, typer.Option(help="the account that the agent belongs to: it cannot decide what the agent asks for")
        ] = "",
    ) -> None:
        """Print a new token. It is shown this once."""
        account, person = account_called(user, field="user"), account_called(owner, field="owner") if owner else None
        until = now() + timedelta(days=days) if days else None
        token = issue_token(
            account, actor=actor(), name=name, expires_at=until, scopes=scope or (), agent=agent, owner=person
        )
        note(f"a token of {user}; keep it, it is not shown again")
        self.stdout.write(token)

    @command()
    @guarded
    def revoke(self, prefix: Annotated[str, typer.Argument(help="the part after zen_")]) -> None:
        """Withdraw a token."""
        revoke_token(prefix, actor=actor())
