"""The second part of the demonstration: people decide, through the REST API, and runs go on or roll back."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from rich.console import Console
from rich.table import Table

from approvals.models import Request
from approvals.queries.view import request_view
from approvals.requests import Ask, ask, publish_policy
from orchestration.console import show
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.runs.documents import load_text
from zen_project.demo.people import ME
from zen_project.demo.services import Service
from zen_project.demo.site import CAST, Person, served

EXAMPLES = Path(__file__).parent / "examples"
PATIENCE_SECONDS = 40.0
ESCALATES_AFTER = 1.0


def tell_of_gates(console: Console, services: dict[str, Service], engine: str) -> bool:
    """Inside the block that hosts the workers; True when everything ended as it should."""
    console.print("\n[bold]People decide[/bold], through the REST API:")
    with served() as api:
        people = {name: Person(name, api) for name in CAST}
        publish_policy(data=load_text((EXAMPLES / "deployment-policy.yaml").read_text(encoding="utf-8")), actor=ME)
        yes, no = (_start(services, engine, order) for order in ("yes", "no"))
        urgent = _short_clock(engine)
        _two_stages(console, people, yes)
        _a_no(console, people, no)
        _escalation(console, people, urgent)
        for run in (yes, no):
            _until(lambda run=run: _ended(run), "a deployment did not end")
    _table(console, services, (yes, no))
    return _as_it_should_be(services, yes, no, urgent)


def _start(services: dict[str, Service], engine: str, order: str) -> Run:
    context = {name: f"http://{service.address}" for name, service in services.items()}
    run, _ = start_run(
        definition=load_text((EXAMPLES / "deployment.yaml").read_text(encoding="utf-8")),
        actor=ME,
        workflow_id=f"deploy-{order}",
        engine=engine,
        context={"inventory": context["inventory"], "payments": context["payments"], "order": order},
    )
    return run


def _short_clock(engine: str) -> Request:
    """Erin is asked; nobody answers for a moment, and Dora is asked as well."""
    stage = {
        "name": "on-call",
        "who": {"users": ["erin"]},
        "escalate": [{"after": ESCALATES_AFTER, "to": {"users": ["dora"]}, "authority": "add"}],
        "expire": "1h",
    }
    publish_policy(data={"policy": "hotfix", "stages": [stage]}, actor=ME)
    request, _ = ask(
        given=Ask(stage="hotfix", description="Restart the payment service now?"), actor=ME, request_id="hotfix-1",
        engine=engine,
    )  # fmt: skip
    return request


def _two_stages(console: Console, people: dict[str, Person], run: Run) -> None:
    request_id = _asked(run)
    for name, stage in (("bob", "review"), ("carol", "review"), ("dora", "release")):
        _until(lambda name=name: request_id in people[name].inbox(), f"{name} was not asked")
        after = people[name].says("approve", request_id, "looks good")
        console.print(f"  {run.workflow_id:<12} {stage:<8} {name} approves → {show.coloured(after['status'])}")


def _a_no(console: Console, people: dict[str, Person], run: Run) -> None:
    after = people["bob"].says("reject", _asked(run), "not on a Friday")
    console.print(f"  {run.workflow_id:<12} {'review':<8} bob rejects → {show.coloured(after['status'])}")


def _escalation(console: Console, people: dict[str, Person], request: Request) -> None:
    _until(lambda: request.request_id in people["dora"].inbox(), "the request did not escalate")
    console.print(
        f"  {request.request_id:<12} on-call  no answer from erin in {ESCALATES_AFTER:g} s: dora is asked too"
    )
    after = people["dora"].says("approve", request.request_id, "go")
    console.print(f"  {request.request_id:<12} on-call  dora approves → {show.coloured(after['status'])}")


def _asked(run: Run) -> str:
    """The request that the run waits for."""
    _until(lambda: Request.objects.filter(about=run.workflow_id).exists(), f"{run} did not come to its gate")
    return Request.objects.get(about=run.workflow_id).request_id


def _ended(run: Run) -> bool:
    run.refresh_from_db()
    return RunStatus(run.status).is_end


def _until(done: object, otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(f"{otherwise} within {PATIENCE_SECONDS:g} s; see {settings.ZEN_DATA_DIR}")
        time.sleep(0.05)


def _table(console: Console, services: dict[str, Service], runs: tuple[Run, ...]) -> None:
    table = Table("run", "ended", "machines", "releases", title="How the deployments ended", box=None)
    for run in runs:
        order = run.workflow_id.removeprefix("deploy-")
        holds = [", ".join(services[name].of(order)) or "-" for name in ("inventory", "payments")]
        table.add_row(run.workflow_id, show.coloured(run.status), *holds)
    console.print(table)


def _as_it_should_be(services: dict[str, Service], yes: Run, no: Run, urgent: Request) -> bool:
    held = {order: sum(len(service.of(order)) for service in services.values()) for order in ("yes", "no")}
    urgent.refresh_from_db()
    ends = [yes.status, no.status, no.cause, request_view(urgent)["status"]]
    return ends == ["completed", "rolled_back", "rejected", "approved"] and held == {"yes": 2, "no": 0}
