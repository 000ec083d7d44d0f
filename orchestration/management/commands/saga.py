"""`manage.py saga`: check definitions and start runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import command

from orchestration import selectors
from orchestration.console import show
from orchestration.console.command import ConsoleCommand
from orchestration.console.doors import INTERRUPTED, OK, OTHERWISE, actor, guarded, note, put_json
from orchestration.console.pairs import pairs
from orchestration.console.waiting import watch
from orchestration.core.compile import compile_plan
from orchestration.core.definition import json_schema
from orchestration.core.matrix import failure_matrix
from orchestration.core.words import RunStatus
from orchestration.definitions_io import load_text
from orchestration.errors import BadInput
from orchestration.models import Run
from orchestration.roles import as_account
from orchestration.services import check_definition, publish, start_run
from orchestration.services.definitions import warnings_now
from orchestration.why import why

File = Annotated[str, typer.Argument(help="a definition, YAML or JSON")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]


class Command(ConsoleCommand):
    help = "Validate, publish and start sagas."

    @command()
    @guarded
    def validate(self, file: File) -> None:
        """Say whether a definition is valid; name every problem."""
        definition = check_definition(_read(file))
        for warning in warnings_now(definition):
            note(f"warning: {warning}")
        count = len(definition.steps)
        self.stdout.write(f"{file}: valid, {count} step{'s' if count != 1 else ''}")

    @command()
    @guarded
    def publish(self, file: File) -> None:
        """Store a definition as a version, without running it."""
        data = _read(file)
        stored, new = publish(data=data, actor=actor())
        show.matrix(failure_matrix(compile_plan(check_definition(data))))
        self.stdout.write(f"{stored} {'published' if new else 'is there already'}")

    @command()
    @guarded
    def preview(self, file: File) -> None:
        """Show the failure matrix: what becomes of a run when each step fails, times out or is followed by an abort."""
        show.matrix(failure_matrix(compile_plan(check_definition(_read(file)))))

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
        wait: Annotated[bool, typer.Option("--wait", help="until it ends; hosts a worker if none is alive")] = False,
        as_user: Annotated[str, typer.Option("--as", help="the account that starts it; else you, by your login")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Start a run."""
        run, new = start_run(
            definition=_read(file),
            actor=as_account(as_user, door="console", field="as") if as_user else actor(),
            workflow_id=workflow_id,
            engine=engine,
            context=pairs(context, "context"),
        )
        if not as_json:
            note(f"run {run.workflow_id} {'started' if new else 'is there already'} on the {run.engine} engine")
        raise typer.Exit(_watched(run, as_json) if wait else _shown(run, as_json, new))


def _shown(run: Run, as_json: bool, new: bool) -> int:
    run.refresh_from_db()
    if as_json:
        put_json(selectors.run_view(run))
    return OK if new else _code(run)


def _watched(run: Run, as_json: bool) -> int:
    try:
        run = watch(run, tell=(lambda _: None) if as_json else note)
    except KeyboardInterrupt:
        note(f"the run goes on without this terminal: `manage.py runs show {run.workflow_id}`")
        return INTERRUPTED
    view = selectors.run_view(run)
    if as_json:
        put_json(view)
    else:
        show.run(view, [] if run.finished_at else why(run))
    return OK if run.status == RunStatus.COMPLETED else OTHERWISE


def _code(run: Run) -> int:
    ended_otherwise = RunStatus(run.status).is_end and run.status != RunStatus.COMPLETED
    return OTHERWISE if ended_otherwise else OK


def _read(file: str) -> object:
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"{file} cannot be read: {reason}", field="file", remedy="give a YAML or JSON file") from None
    return load_text(text, name=file)
