"""`approval receipt` and `approval verify-receipt`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import command

from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import KIND, problems
from approvals.requests import get_request
from foundation.audit import signing_key
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import OTHERWISE, actor, guarded, note, put_json
from foundation.errors import BadInput


class Proving(ConsoleCommand):
    @command(name="receipt")
    @guarded
    def make_receipt(
        self,
        request_id: Annotated[str, typer.Argument(help="an ended request")],
        output: Annotated[str, typer.Option(help="the file to write; standard output without it")] = "",
        heads: Annotated[
            bool, typer.Option("--heads", help="with all heads of its seal, which name other runs")
        ] = False,
    ) -> None:
        """Sign who decided what on which content (docs/reference/receipts.md)."""
        made = receipt(get_request(request_id, actor=actor()), heads=heads)
        if not output:
            put_json(made)
            return
        try:
            Path(output).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{output} cannot be written: {error.strerror}", field="output") from None
        note(f"the receipt of {request_id} is in {output}; its hash is {made['hash']}")

    @command(name="verify-receipt")
    @guarded
    def verify_receipt(
        self,
        file: Annotated[str, typer.Argument(help="a receipt")],
        key: Annotated[str, typer.Option(help="the public key it has to be signed with; this site's without it")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    ) -> None:
        """Exit code 0: genuine; 1: not, and why; 2: not a receipt."""
        signing_key.key_id(key)  # refuses what is no key
        found = _read(file)
        wrong = problems(found, key=key)
        about = found["request"].get("request_id") if not wrong else None
        if as_json:
            put_json({"genuine": not wrong, "request_id": about, "problems": wrong})
        for line in () if as_json else wrong or [f"genuine: {about} is {found['request']['status']}"]:
            print(line)
        raise typer.Exit(OTHERWISE if wrong else 0)


def _read(file: str) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}", field="file") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise BadInput(f"{file} is not a receipt", field="file", remedy="give what `manage.py approval receipt` wrote")
    return found
