"""Arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

RequestId = Annotated[str, typer.Argument(help="the request's handle")]
Answers = Annotated[list[str] | None, typer.Option("--answer", help="NAME=VALUE, to the stage's form")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
AsUser = Annotated[str, typer.Option("--as", help="the account in whose name it is done")]
Comment = Annotated[str, typer.Option(help="kept with the decision")]
Edits = Annotated[list[str] | None, typer.Option("--edit", help="PATH=VALUE, laid over what is shown, with a yes")]
Note = Annotated[str, typer.Option(help="why; kept in the audit")]
Seen = Annotated[str, typer.Option(help="the content_hash that was looked at; with --yes, round 2 needs it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
