"""`manage.py runs`: see runs and act on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.confirm import confirm
from foundation.console.exit_codes import actor, guarded, note, put_json
from foundation.errors import BadInput
from orchestration import ports
from orchestration.console import log, show
from orchestration.console.settling import settled
from orchestration.core.enums import RunStatus, Verb
from orchestration.runs import act, get_run, preview, queries
from orchestration.runs.archive.views import archive_of
from orchestration.runs.attempts import attempt_views
from orchestration.runs.documents import load_text
from orchestration.runs.waiting_reasons import why

WorkflowId = Annotated[str, typer.Argument(help="the run's handle")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
Note = Annotated[str, typer.Option(help="why; kept in the audit")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
MOST_ATTEMPTS = 1000
Step = Annotated[str, typer.Option("--step", help="the step meant")]


class Command(ConsoleCommand):
    help = "See runs, and hold, abort, retry, resolve … them."

    @command(name="list")
    @guarded
    def list_runs(
        self,
        status: Annotated[list[str] | None, typer.Option(help="only these statuses")] = None,
        saga: Annotated[str, typer.Option(help="only runs of this saga")] = "",
        kind: Annotated[str, typer.Option(help="only this kind: saga, approval")] = "",
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """The latest runs."""
        found = queries.runs(statuses=_statuses(status or []), saga_id=saga, run_kind=_kind(kind))[:limit]
        rows = [queries.run_row(run) for run in found]
        if not rows and not as_json:
            asked = status or saga or kind
            note("no such runs" if asked else "no runs yet; start one with `manage.py saga start FILE`")
        put_json(rows) if as_json else show.run_list(rows)

    @command()
    @guarded
    def show(
        self,
        workflow_id: WorkflowId,
        attempts: Annotated[bool, typer.Option("--attempts", help="what each asked, and what came back")] = False,
        as_json: AsJson = False,
    ) -> None:
        """One run: its input, its steps, its result, what it waits for."""
        run = get_run(workflow_id)
        view = queries.run_view(run)
        made = attempt_views(run, limit=MOST_ATTEMPTS) if attempts else []
        if as_json:
            put_json(view | ({"attempts": made} if attempts else {}))
            return
        show.run(view, [] if run.finished_at else why(run))
        show.attempts(made)

    @command()
    @guarded
    def events(self, workflow_id: WorkflowId, as_json: AsJson = False) -> None:
        """Everything that happened to a run, in order."""
        run = get_run(workflow_id)
        if (archive := archive_of(run)) is not None:
            note(f"its events were archived on {archive.at:%Y-%m-%d}; {archive.file or 'no file of them was kept'}")
        for event in queries.run_events(run):
            view = queries.event_view(event)
            put_json(view) if as_json else self.stdout.write(show.event(view))

    @command()
    @guarded
    def logs(
        self,
        workflow_id: WorkflowId,
        step: Annotated[str, typer.Option("--step", help="only what is about this step")] = "",
        level: Annotated[str, typer.Option(help="this one and above: debug, info, warning, error, critical")] = "",
        follow: Annotated[bool, typer.Option("--follow", help="go on until the run has ended")] = False,
        after: Annotated[str, typer.Option(help="go on behind the entry with this `seq`")] = "",
        limit: Annotated[int, typer.Option(help="entries at most; with --follow, at a time")] = 1000,
        as_json: AsJson = False,
    ) -> None:
        """What happened, what was logged and printed, and who did what, by time. JSON is one entry a line."""
        for entry in log.entries(workflow_id, step=step, level=level, follow=follow, after=after, limit=limit):
            put_json(entry) if as_json else self.stdout.write(log.line(entry))

    @command()
    @guarded
    def why(self, workflow_id: WorkflowId, as_json: AsJson = False) -> None:
        """In words: what the run waits for."""
        lines = why(get_run(workflow_id))
        put_json({"workflow_id": workflow_id, "why": lines}) if as_json else self.stdout.write("\n".join(lines))

    @command()
    @guarded
    def hold(self, workflow_id: WorkflowId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Start no new step."""
        _act(Verb.HOLD, workflow_id, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def release(self, workflow_id: WorkflowId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Let a held run go on."""
        _act(Verb.RELEASE, workflow_id, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def abort(self, workflow_id: WorkflowId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Stop the way forward and undo what was done."""
        _act(Verb.ABORT, workflow_id, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def retry(
        self, workflow_id: WorkflowId, step: Step = "", note: Note = "", yes: Yes = False, as_json: AsJson = False
    ) -> None:
        """Another try of a failed step that holds its run."""
        _act(Verb.RETRY, workflow_id, step=step, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def rerun(
        self, workflow_id: WorkflowId, step: Step = "", note: Note = "", yes: Yes = False, as_json: AsJson = False
    ) -> None:
        """Repeat a step and everything after it, under new keys."""
        _act(Verb.RERUN, workflow_id, step=step, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def skip(
        self, workflow_id: WorkflowId, step: Step = "", note: Note = "", yes: Yes = False, as_json: AsJson = False
    ) -> None:
        """Go on without a step."""
        _act(Verb.SKIP, workflow_id, step=step, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def resolve(
        self,
        workflow_id: WorkflowId,
        step: Step = "",
        answer: Annotated[str, typer.Option(help="retry, done-by-hand, alternative or accept-loss")] = "",
        action: Annotated[str, typer.Option(help="with alternative: a file with the action to run instead")] = "",
        note: Note = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Answer a failed compensation."""
        given = _action(action)
        _act(Verb.RESOLVE, workflow_id, step=step, answer=answer, action=given, note=note, yes=yes, as_json=as_json)

    @command()
    @guarded
    def restart(self, workflow_id: WorkflowId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Start an ended run again, as a new run with the same input."""
        _act(Verb.RESTART, workflow_id, note=note, yes=yes, as_json=as_json)

    @command(name="force-stop")
    @guarded
    def force_stop(self, workflow_id: WorkflowId, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """End a run now and undo nothing."""
        _act(Verb.FORCE_STOP, workflow_id, note=note, yes=yes, as_json=as_json)


def _act(
    verb: Verb,
    workflow_id: str,
    *,
    step: str = "",
    answer: str = "",
    action: dict[str, Any] | None = None,
    note: str = "",
    yes: bool,
    as_json: bool,
) -> None:
    foretold = preview(workflow_id=workflow_id, verb=verb, actor=actor(), step_id=step, answer=answer)
    confirm(f"{verb} {workflow_id}", foretold.lines, refusal=foretold.refusal, yes=yes)
    before = get_run(workflow_id)
    run = act(workflow_id=workflow_id, verb=verb, actor=actor(), step_id=step, note=note, answer=answer, action=action)
    run = settled(run, before)
    view = queries.run_view(run)
    put_json(view) if as_json else show.run(view, [] if run.finished_at else why(run))


def _statuses(given: list[str]) -> list[str]:
    for status in given:
        if status not in list(RunStatus):
            raise BadInput(f"'{status}' is not a status", field="status", remedy=f"one of: {', '.join(RunStatus)}")
    return given


def _kind(given: str) -> str:
    if given and given not in (known := ports.kinds()):
        raise BadInput(f"'{given}' is not a kind of run", field="kind", remedy=f"one of: {', '.join(known)}")
    return given


def _action(file: str) -> dict[str, Any] | None:
    if not file:
        return None
    try:
        value = load_text(Path(file).read_text(encoding="utf-8"), name=file)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}", field="action") from None
    if not isinstance(value, dict):
        raise BadInput(f"{file} does not hold an action", field="action", remedy="a mapping with a `type`")
    return value
