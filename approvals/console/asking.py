"""`approval open`, `list` and `show`: ask people, and see how their requests stand."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from approvals.console import requests
from approvals.console.inputs import AsJson, RequestId, account, acting_as
from approvals.core.enums import Status
from approvals.models import Request
from approvals.queries import requests as selectors
from approvals.queries.inbox import inbox_of
from approvals.queries.view import request_view
from approvals.requests import Ask, ask, get_request
from foundation.clock import now
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import INTERRUPTED, OK, OTHERWISE, actor, guarded, note, put_json
from foundation.console.pairs import pairs
from foundation.console.text import visible
from foundation.errors import BadInput
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
    view = request_view(get_request(request.request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
    status = Status(view["status"])
    return OTHERWISE if not new and status.is_end and status is not Status.APPROVED else OK


def _watched(request: Request, as_json: bool) -> int:
    try:
        watch(request.run, tell=(lambda _: None) if as_json else note)
    except KeyboardInterrupt:
        note(f"it stays open without this terminal: `manage.py approval show {request}`")
        return INTERRUPTED
    view = request_view(get_request(request.request_id, actor=actor()))
    put_json(view) if as_json else requests.outcome(view)
    return OK if view["status"] == Status.APPROVED else OTHERWISE


class Looking(ConsoleCommand):
    @command(name="list")
    @guarded
    def list_requests(
        self,
        status: Annotated[list[str] | None, typer.Option(help="only these statuses")] = None,
        mine: Annotated[str, typer.Option(help="only what waits for this account, the most urgent first")] = "",
        about: Annotated[str, typer.Option(help="only those of this workflow")] = "",
        stage: Annotated[str, typer.Option(help="only decisions of this kind")] = "",
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """The latest requests."""
        unknown = sorted(set(status or ()) - set(Status))
        if unknown:
            remedy = f"one of: {', '.join(Status)}"
            raise BadInput(f"--status '{unknown[0]}' is not a status", field="status", remedy=remedy)
        found = selectors.requests(statuses=status or (), about=about, stage=stage)
        if mine:
            found = inbox_of(account(mine, "mine")).filter(pk__in=found.values("pk"))
        rows = [selectors.request_row(request) for request in found.defer(*selectors.LARGE)[:limit]]
        put_json(rows) if as_json else requests.listed(rows)

    @command()
    @guarded
    def show(self, request_id: RequestId, as_json: AsJson = False) -> None:
        """One request: what is asked, who decides, what was said, what can be done."""
        view = request_view(get_request(request_id, actor=actor()))
        put_json(view) if as_json else requests.shown(view, now())
