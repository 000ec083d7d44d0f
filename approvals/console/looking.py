"""`approval list` and `approval show`."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from approvals import selectors
from approvals.console import requests
from approvals.console.inputs import account
from approvals.console.options import AsJson, RequestId
from approvals.core.words import Status
from approvals.services import get_request
from orchestration.clock import now
from orchestration.console.command import ConsoleCommand
from orchestration.console.doors import actor, guarded, put_json
from orchestration.errors import BadInput


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
            found = selectors.inbox(account(mine, "mine")).filter(pk__in=found.values("pk"))
        rows = [selectors.request_row(request) for request in found.defer(*selectors.LARGE)[:limit]]
        put_json(rows) if as_json else requests.listed(rows)

    @command()
    @guarded
    def show(self, request_id: RequestId, as_json: AsJson = False) -> None:
        """One request: what is asked, who decides, what was said, what can be done."""
        view = selectors.request_view(get_request(request_id, actor=actor()))
        put_json(view) if as_json else requests.shown(view, now())
