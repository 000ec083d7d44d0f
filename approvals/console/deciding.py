"""`approval approve`, `reject`, `request-changes` and `abstain`: the one door, in the name of an account."""

from __future__ import annotations

from dataclasses import replace

from django_typer.management import command

from approvals.console import requests
from approvals.console.inputs import (
    DOOR,
    Answers,
    AsJson,
    AsUser,
    Comment,
    Edits,
    RequestId,
    Seen,
    Yes,
    account,
    acting_as,
)
from approvals.console.preview import confirm, preview
from approvals.core.approval.events import Voted
from approvals.core.enums import Choice
from approvals.policies.principals import person_of
from approvals.queries.view import request_view
from approvals.requests import Evidence, decide, get_request
from approvals.requests.lookup import only_content
from foundation.clock import now
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, put_json
from foundation.console.pairs import pairs, texts


class Deciding(ConsoleCommand):
    @command()
    @guarded
    def approve(
        self, request_id: RequestId, as_user: AsUser, comment: Comment = "", edit: Edits = None,
        answer: Answers = None, seen: Seen = "", yes: Yes = False, as_json: AsJson = False,
    ) -> None:  # fmt: skip
        """Approve."""
        _decide(Choice.APPROVE, request_id, as_user, comment, edit, answer, seen, yes=yes, as_json=as_json)

    @command()
    @guarded
    def reject(
        self, request_id: RequestId, as_user: AsUser, comment: Comment = "", edit: Edits = None,
        answer: Answers = None, seen: Seen = "", yes: Yes = False, as_json: AsJson = False,
    ) -> None:  # fmt: skip
        """Reject."""
        _decide(Choice.REJECT, request_id, as_user, comment, edit, answer, seen, yes=yes, as_json=as_json)

    @command(name="request-changes")
    @guarded
    def request_changes(
        self, request_id: RequestId, as_user: AsUser, comment: Comment = "", edit: Edits = None,
        answer: Answers = None, seen: Seen = "", yes: Yes = False, as_json: AsJson = False,
    ) -> None:  # fmt: skip
        """Ask the requester for changes."""
        _decide(Choice.REQUEST_CHANGES, request_id, as_user, comment, edit, answer, seen, yes=yes, as_json=as_json)

    @command()
    @guarded
    def abstain(
        self, request_id: RequestId, as_user: AsUser, comment: Comment = "", edit: Edits = None,
        answer: Answers = None, seen: Seen = "", yes: Yes = False, as_json: AsJson = False,
    ) -> None:  # fmt: skip
        """Abstain."""
        _decide(Choice.ABSTAIN, request_id, as_user, comment, edit, answer, seen, yes=yes, as_json=as_json)


def _decide(
    choice: Choice,
    request_id: str,
    as_user: str,
    comment: str,
    edit: list[str] | None,
    answer: list[str] | None,
    seen: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    user, edits = account(as_user, "as"), pairs(edit, "edit")
    person, at = person_of(user), now()
    request = get_request(request_id, actor=actor())
    foretold = preview(request, Voted(at=at, person=person.id, choice=choice), person)
    shown = replace(foretold, lines=(*requests.asked(request_view(request)), *foretold.lines))
    confirm(f"{choice} '{request.title}' ({request_id}) as {user.get_username()}", shown, yes=yes)
    decide(
        request_id=request_id,
        actor=acting_as(user),
        person=person,
        choice=choice,
        comment=comment,
        edits=edits,
        answers=texts(answer, "answer"),
        seen=seen or (only_content(request) if yes else request.shown_hash),
        evidence=Evidence(strength=DOOR, detail={"operator": actor().name}),
    )
    view = request_view(get_request(request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
