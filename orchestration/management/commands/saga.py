"""`manage.py saga`: check definitions and start runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import INTERRUPTED, OK, OTHERWISE, actor, guarded, note, put_json
from foundation.console.pairs import pairs
from foundation.identity.permissions import as_account
from orchestration.console import show
from orchestration.console.files import configuration, read_document
from orchestration.console.waiting import watch
from orchestration.core.definition import json_schema
from orchestration.core.enums import RunStatus
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.failure_matrix import failure_matrix
from orchestration.models import Run
from orchestration.runs import check_definition, publish, queries, start_run
from orchestration.runs.definitions import warnings_now
from orchestration.runs.waiting_reasons import why

File = Annotated[str, typer.Argument(help="a definition, YAML or JSON")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]


class Command(ConsoleCommand):
    help = "Validate, publish and start sagas."

    @command()
    @guarded
    def validate(self, file: File) -> None:
        """Say whether a definition is valid; name every problem."""
        definition = check_definition(read_document(file))
        for warning in warnings_now(definition):
            note(f"warning: {warning}")
        count = len(definition.steps)
        self.stdout.write(f"{file}: valid, {count} step{'s' if count != 1 else ''}")

    @command()
    @guarded
    def publish(self, file: File) -> None:
        """Store a definition as a version, without running it."""
        data = read_document(file)
        stored, new = publish(data=data, actor=actor())
        show.matrix(failure_matrix(compile_plan(check_definition(data))))
        self.stdout.write(f"{stored} {'published' if new else 'is there already'}")

    @command()
    @guarded
    def preview(self, file: File) -> None:
        """Show the failure outcomes: how a run ends when each step fails, times out or is followed by an abort."""
        show.matrix(failure_matrix(compile_plan(check_definition(read_document(file)))))

    @command()
    @guarded
    def schema(self) -> None:
        """Print the JSON Schema of a definition."""
        self.stdout.write(json.dumps(json_schema(), indent=2))

    @command()
    @guarded
    def start(
        self,
        file: File,
        workflow_id: Annotated[str, typer.Option(help="the run's handle; a used one starts nothing")] = "",
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "",
        context: Annotated[list[str] | None, typer.Option(help="K=V, laid over the definition's context")] = None,
        config: Annotated[
            list[str] | None, typer.Option(help="FILE or K=V of the run's configuration, such as alert_on_failure=true")
        ] = None,
        wait: Annotated[bool, typer.Option("--wait", help="until it ends; hosts a worker if none is alive")] = False,
        as_user: Annotated[str, typer.Option("--as", help="the account that starts it; else you, by your login")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Start a run."""
        run, new = start_run(
            definition=read_document(file),
            actor=as_account(as_user, door="console", field="as") if as_user else actor(),
            workflow_id=workflow_id,
            engine=engine,
            context=pairs(context, "context"),
            config=configuration(config),
        )
        if not as_json:
            note(f"run {run.workflow_id} {'started' if new else 'is there already'} on the {run.engine} engine")
        raise typer.Exit(_watched(run, as_json) if wait else _shown(run, as_json, new))


def _shown(run: Run, as_json: bool, new: bool) -> int:
    run.refresh_from_db()
    view = queries.run_view(run)
    if as_json:
        put_json(view)
    else:
        for warning in view["warnings"]:
            note(f"warning: {warning}")
    return OK if new else _code(run)


def _watched(run: Run, as_json: bool) -> int:
    try:
        run = watch(run, tell=(lambda _: None) if as_json else note)
    except KeyboardInterrupt:
        note(f"the run goes on without this terminal: `manage.py runs show {run.workflow_id}`")
        return INTERRUPTED
    view = queries.run_view(run)
    if as_json:
        put_json(view)
    else:
        show.run(view, [] if run.finished_at else why(run))
    return OK if run.status == RunStatus.COMPLETED else OTHERWISE


def _code(run: Run) -> int:
    ended_otherwise = RunStatus(run.status).is_end and run.status != RunStatus.COMPLETED
    return OTHERWISE if ended_otherwise else OK
