"""`manage.py prune`: take away now what is old enough."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from django.conf import settings
from rich.markup import escape

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, note, put_json
from foundation.console.tables import out
from foundation.errors import BadInput
from monitoring.retention.beat import work
from monitoring.retention.pruning import Pruning

DAY = 86_400.0


class Command(ConsoleCommand):
    help = "Condense and remove what ended long ago (docs/howto/retention.md)."

    @guarded
    def handle(
        self,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="count, and change nothing")] = False,
        most_seconds: Annotated[float, typer.Option(help="stop after so long; half of it are rests")] = 60.0,
        as_json: Annotated[bool, typer.Option("--json", help="print JSON and nothing else")] = False,
    ) -> None:
        """One pass over all that has ended. What is left is done by the next one."""
        if not 0 < most_seconds <= DAY:
            raise BadInput(
                f"--most-seconds is {most_seconds:g}", field="most_seconds", remedy=f"above 0, {DAY:g} at most"
            )
        pruning, until = Pruning(by=actor(), dry=dry_run, anew=True), time.monotonic() + most_seconds
        try:
            _work(pruning, until)
        except OSError as error:
            raise BadInput(
                f"a record cannot be written into {settings.ZEN_ARCHIVE_DIR}: {error.strerror or error}",
                field="ZEN_ARCHIVE_DIR", remedy="make room or make it writable; nothing goes before it is written",
            ) from None  # fmt: skip
        found = pruning.finish()
        put_json(found) if as_json else _tell(found, pruning.rows)


def _work(pruning: Pruning, until: float) -> None:
    more = True
    while more and (began := time.monotonic()) < until:
        more = work(pruning)
        if more and not pruning.dry:
            time.sleep(max(0.0, min(time.monotonic() - began, until - time.monotonic())))


def _tell(found: dict[str, Any], rows: Mapping[str, int]) -> None:
    would = "would be " if found["dry_run"] else ""
    out().print(f"{found['condensed']:,} runs {would}condensed, {found['removed']:,} {would}removed")
    for table, number in sorted(rows.items()):
        if number:
            out().print(f"  {number:,} rows of {escape(table)}")
    if found["left"]:
        note(
            f"{found['left']:,} that ended since {found['oldest'][:10]} are left; run it again, or leave it to workers"
        )
