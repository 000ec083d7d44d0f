"""`approval open`: ask people, and wait for them if wanted."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from approvals import selectors
from approvals.console import requests
from approvals.console.inputs import account, acting_as
from approvals.console.options import AsJson
from approvals.console.text import visible
from approvals.core.words import Status
from approvals.models import Request
from approvals.services import Ask, ask, get_request
from orchestration.console.command import ConsoleCommand
from orchestration.console.doors import INTERRUPTED, OK, OTHERWISE, actor, guarded, note, put_json
from orchestration.console.pairs import pairs
from orchestration.console.waiting import watch


class Opening(ConsoleCommand):
    @command(name="open")
    @guarded
    def open_request(
        self,
        stage: Annotated[str, typer.Option(help="what kind of decision it is, in a word")],
        description: Annotated[str, typer.Option(help="what is asked, and why")],
        context: Annotated[list[str] | None, typer.Option(help="K=V, shown to those who decide")] = None,
        policy: Annotated[str, typer.Option(help="a published policy; without one, that of the stage")] = "",
        approver: Annotated[list[str] | None, typer.Option(help="a user, an address or group:NAME instead")] = None,
        about: Annotated[str, typer.Option(help="the workflow it belongs to")] = "",
        timeout: Annotated[float | None, typer.Option(min=0.001, help="seconds; no longer than the policy's")] = None,
        request_id: Annotated[str, typer.Option(help="its handle; a used one opens nothing")] = "",
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "",
        as_user: Annotated[str, typer.Option("--as", help="the account that asks; else you, by your login")] = "",
        wait: Annotated[bool, typer.Option("--wait", help="until it ends; hosts a worker if none is alive")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Ask for approval."""
        given = Ask(
            stage=stage,
            description=description,
            context=pairs(context, "context"),
            policy=policy,
            approvers=tuple(approver or ()),
            about=about,
            timeout_seconds=timeout,
        )
        who = acting_as(account(as_user, "as")) if as_user else actor()
        request, new = ask(given=given, actor=who, request_id=request_id, engine=engine)
        if not as_json:
            note(f"request {request} {'opened' if new else 'is there already'}: {visible(request.status)}")
        raise typer.Exit(_watched(request, as_json) if wait else _shown(request, as_json, new))


def _shown(request: Request, as_json: bool, new: bool) -> int:
    view = selectors.request_view(get_request(request.request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
    status = Status(view["status"])
    return OTHERWISE if not new and status.is_end and status is not Status.APPROVED else OK


def _watched(request: Request, as_json: bool) -> int:
    try:
        watch(request.run, tell=(lambda _: None) if as_json else note)
    except KeyboardInterrupt:
        note(f"it stays open without this terminal: `manage.py approval show {request}`")
        return INTERRUPTED
    view = selectors.request_view(get_request(request.request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
    return OK if view["status"] == Status.APPROVED else OTHERWISE
