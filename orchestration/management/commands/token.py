"""`manage.py token`: API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer
from django.contrib.auth import get_user_model
from django_typer.management import command

from orchestration.clock import now
from orchestration.console.command import ConsoleCommand
from orchestration.console.doors import actor, guarded, note
from orchestration.errors import BadInput
from orchestration.services.tokens import issue_token, revoke_token


class Command(ConsoleCommand):
    help = "Make and withdraw API tokens."

    @command()
    @guarded
    def create(
        self,
        user: Annotated[str, typer.Argument(help="the user that the token acts as")],
        name: Annotated[str, typer.Option(help="what the token is for")] = "",
        days: Annotated[int, typer.Option(min=0, help="valid for so many days; 0: until it is revoked")] = 0,
        scope: Annotated[list[str] | None, typer.Option(help="good for this only; may be repeated")] = None,
        agent: Annotated[bool, typer.Option(help="of a program that acts by itself: it can never decide")] = False,
        owner: Annotated[str, typer.Option(help="whose agent it is: they decide nothing that it asks for")] = "",
    ) -> None:
        """Print a new token. It is shown this once."""
        account, person = _account(user, "user"), _account(owner, "owner") if owner else None
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


def _account(name: str, field: str) -> Any:
    users: Any = get_user_model()
    found = users.objects.filter(**{users.USERNAME_FIELD: name}).first()
    if found is None:
        raise BadInput(
            f"there is no user '{name}'", field=field, remedy="add the account first, in the admin under Users"
        )
    return found
