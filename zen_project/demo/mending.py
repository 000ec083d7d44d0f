"""The third part of the demonstration: a run fails past its pivot, and a recovery policy mends it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from foundation.clock import now
from monitoring.queries.recovery import sentence
from zen_project.demo.services import Service
from zen_project.demo.stage import passes, said, shipment, status, tried


def tell_of_mending(console: Console, services: dict[str, Service], engine: str) -> bool:
    """Inside the block that hosts the workers; True when the run completed and no service lacks anything."""
    console.print(
        "\n[bold]A run mends itself[/bold]: the shipping service is out of order once, after the charge is made:"
    )
    services["shipping"].says["POST"] = [503, 0]
    run = shipment(services, engine, "mended")
    told: set[str] = set()

    def tell() -> None:
        lines = [("found", said(run, "step_blocks"))]
        lines += [("", sentence(attempt)) for attempt in tried(run)]
        for what, line in lines:
            if line and line not in told:
                told.add(line)
                console.print(f"  {now():%H:%M:%S} {what or 'recovery':<8} {escape(line)}")

    passes(lambda: any(one.ended_at for one in tried(run)), "recovery did not mend the run", each=tell)
    tell()
    (attempt,) = tried(run)
    console.print(f"  {run.workflow_id} is [green]{status(run)}[/green]: nobody had to do anything")
    held = sum(len(service.of("mended")) for service in services.values())
    return (status(run), attempt.state, attempt.number, held) == ("completed", "worked", 1, 3)
