"""What the demonstration does and what must be true afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.table import Table

from orchestration.console import show
from orchestration.core.enums import RunStatus, Verb
from orchestration.models import Run
from orchestration.runs import act, queries, start_run
from orchestration.runs.documents import load_text
from orchestration.runs.waiting_reasons import why
from zen_project.demo.gates import tell_of_gates
from zen_project.demo.mending import tell_of_mending
from zen_project.demo.people import ME
from zen_project.demo.project import tell_of_a_project
from zen_project.demo.services import Service
from zen_project.demo.stage import workers

ORDER = Path(__file__).parent / "examples" / "order.yaml"
SHOWN = ("run.", "step.succeeded", "step.failed", "undo.compensating", "undo.compensated", "undo.compensation_failed")
PATIENCE_SECONDS = 60.0


def tell(console: Console, engine: str) -> bool:
    """Run three orders to their end; True when every service holds exactly what it should."""
    services = {name: Service(name) for name in ("inventory", "payments", "shipping")}
    settings.ZEN_OUTBOUND_ALLOW = tuple(service.address for service in services.values())
    services["payments"].locked.add("stuck")
    with workers(engine):
        runs = {
            "completes": _start(services, engine, "fine", address="12 Elm Street"),
            "rolls back": _start(services, engine, "lost", address="nowhere"),
            "needs a person": _start(services, engine, "stuck", address="nowhere"),
        }
        _watch(console, list(runs.values()))
        stuck = runs["needs a person"]
        console.print(f"\n[bold]{stuck.workflow_id}[/bold] needs a person:")
        for line in why(stuck):
            console.print(f"  {line}")
        services["payments"].locked.clear()
        console.print("  → the payment service is repaired, and an operator answers: retry\n")
        note = "the payment service was repaired"
        act(workflow_id=stuck.workflow_id, verb=Verb.RESOLVE, step_id="charge", answer="retry", note=note, actor=ME)
        _watch(console, [stuck], until_end=True)
        _table(console, services, runs)
        gates = tell_of_gates(console, services, engine)
        mended = tell_of_mending(console, services, engine)
        built = tell_of_a_project(console, engine)
    return _as_it_should_be(services, runs) and gates and mended and built


def _start(services: dict[str, Service], engine: str, order: str, *, address: str) -> Run:
    context: dict[str, Any] = {name: f"http://{service.address}" for name, service in services.items()}
    run, _ = start_run(
        definition=load_text(ORDER.read_text(encoding="utf-8")),
        actor=ME,
        workflow_id=f"order-{order}",
        engine=engine,
        context=context | {"order": order, "address": address},
    )
    return run


def _watch(console: Console, runs: list[Run], *, until_end: bool = False) -> None:
    """Live progress until each run has ended, or (at first) until it needs a person."""
    seen = {run.pk: 0 if not until_end else run.events.count() for run in runs}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        open_runs = 0
        for run in runs:
            run.refresh_from_db()
            for event in queries.run_events(run, after=seen[run.pk]):
                seen[run.pk] = event.seq
                if event.kind.startswith(SHOWN):
                    what = event.kind.partition(".")[2]
                    console.print(f"  {run.workflow_id:<12} {event.step_id or 'run':<8} {show.coloured(what)}")
            parked = run.status == RunStatus.NEEDS_ATTENTION and not until_end
            open_runs += not (parked or RunStatus(run.status).is_end)
        if not open_runs:
            return
        time.sleep(0.05)
    raise SystemExit(f"the demonstration took more than {PATIENCE_SECONDS:g} s; see {settings.ZEN_DATA_DIR}")


def _table(console: Console, services: dict[str, Service], runs: dict[str, Run]) -> None:
    title = "What each service holds afterwards"
    table = Table("run", "meant to", "ended", *services, title=title, box=None, pad_edge=False)
    for meant, run in runs.items():
        order = run.workflow_id.removeprefix("order-")
        holds = ["\n".join(thing.lstrip("/") for thing in service.of(order)) or "-" for service in services.values()]
        table.add_row(run.workflow_id, meant, show.coloured(run.status), *holds)
    console.print(table)


def _as_it_should_be(services: dict[str, Service], runs: dict[str, Run]) -> bool:
    ends = [Run.objects.get(pk=run.pk).status for run in runs.values()]
    held = {order: sum(len(service.of(order)) for service in services.values()) for order in ("fine", "lost", "stuck")}
    wanted = [RunStatus.COMPLETED, RunStatus.ROLLED_BACK, RunStatus.ROLLED_BACK]
    return ends == wanted and held == {"fine": 4, "lost": 0, "stuck": 0}
