"""What else is done to a request: remind, withdraw, take back, hand on, name people, ask and answer."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from approvals.console import requests
from approvals.console.inputs import AsJson, AsUser, Note, RequestId, Yes, account, acting_as
from approvals.console.preview import confirm, preview
from approvals.core.approval.events import Delegated, Event, PeopleNamed, Revoked, Withdrawn
from approvals.policies.principals import Person, person_of
from approvals.queries.view import request_view
from approvals.requests import get_request, name_people, reassign, remark, remind, revoke, withdraw
from foundation.clock import now
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, put_json

Text = Annotated[str, typer.Argument(help="what to say")]


class Acting(ConsoleCommand):
    @command()
    @guarded
    def remind(self, request_id: RequestId, note: Note = "", as_json: AsJson = False) -> None:
        """Remind those who have not decided."""
        remind(request_id=request_id, actor=actor(), note=note)
        _tell(request_id, as_json)

    @command()
    @guarded
    def withdraw(self, request_id: RequestId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Withdraw the request."""
        _ask(f"withdraw {request_id}", request_id, Withdrawn(at=now()), yes=yes)
        withdraw(request_id=request_id, actor=actor(), note=note)
        _tell(request_id, as_json)

    @command()
    @guarded
    def revoke(self, request_id: RequestId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Revoke an approval before it is used."""
        _ask(f"revoke {request_id}", request_id, Revoked(at=now()), yes=yes)
        revoke(request_id=request_id, actor=actor(), note=note)
        _tell(request_id, as_json)

    @command()
    @guarded
    def delegate(
        self,
        request_id: RequestId,
        from_user: Annotated[str, typer.Option("--from", help="whose seat it is")],
        to_user: Annotated[str, typer.Option("--to", help="who is to decide")],
        note: Note = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Delegate one person's vote to another."""
        owner, to = person_of(account(from_user, "from")), person_of(account(to_user, "to"))
        _ask(f"delegate {request_id}", request_id, Delegated(at=now(), person=owner.id, to=to.id), owner, to, yes=yes)
        reassign(request_id=request_id, actor=actor(), person=from_user, to=to_user, note=note)
        _tell(request_id, as_json)

    @command(name="name-people")
    @guarded
    def name_people(
        self,
        request_id: RequestId,
        users: Annotated[list[str], typer.Argument(help="who decides the open stage instead")],
        note: Note = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Give the open stage other people."""
        named = [person_of(account(name, "users")) for name in users]
        event = PeopleNamed(at=now(), people=frozenset(one.id for one in named))
        _ask(f"name-people {request_id}", request_id, event, *named, yes=yes)
        name_people(request_id=request_id, actor=actor(), users=users, note=note)
        _tell(request_id, as_json)

    @command()
    @guarded
    def ask(self, request_id: RequestId, text: Text, as_user: AsUser, as_json: AsJson = False) -> None:
        """Ask the requester a question."""
        _say("question", request_id, text, as_user, as_json)

    @command()
    @guarded
    def answer(self, request_id: RequestId, text: Text, as_user: AsUser, as_json: AsJson = False) -> None:
        """Answer a question of those who decide."""
        _say("answer", request_id, text, as_user, as_json)


def _ask(what: str, request_id: str, event: Event, *people: Person, yes: bool) -> None:
    confirm(what, preview(get_request(request_id, actor=actor()), event, *people), yes=yes)


def _say(kind: str, request_id: str, text: str, as_user: str, as_json: bool) -> None:
    user = account(as_user, "as")
    remark(request_id=request_id, actor=acting_as(user), person=person_of(user), kind=kind, text=text)
    _tell(request_id, as_json)


def _tell(request_id: str, as_json: bool) -> None:
    view = request_view(get_request(request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
