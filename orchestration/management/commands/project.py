"""`manage.py project`: check, start and see multi-agent projects."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import INTERRUPTED, OK, OTHERWISE, actor, guarded, note, put_json
from foundation.identity.permissions import as_account
from orchestration.console import log, projects
from orchestration.console.files import configuration, read_document
from orchestration.console.waiting import watch
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.projects.deployment.service import deploy
from orchestration.projects.queries import (
    costs_view,
    evidence_view,
    get_project,
    plan_view,
    project_view,
    task_views,
)
from orchestration.projects.start import prepared, start_project
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why

File = Annotated[str, typer.Argument(help="a project's spec, YAML or JSON")]
Project = Annotated[str, typer.Argument(help="the project's handle")]
Config = Annotated[
    list[str] | None, typer.Option(help="FILE or K=V of its configuration, such as max_parallel_agents=2")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]


class Command(ConsoleCommand):
    help = "Check, start and see multi-agent projects; `runs` holds, aborts, retries … them."

    @command()
    @guarded
    def validate(self, file: File, config: Config = None, as_json: AsJson = False) -> None:
        """Say whether a project could be started now; name every problem."""
        found = prepared(spec=read_document(file), config=configuration(config))
        plan = found.plan.plain() if found.plan is not None else None
        if as_json:
            told = {"project_id": found.spec.project_id, "plan": plan, "gates": found.gates, "warnings": found.warnings}
            put_json({"valid": True, **told})
            return
        for warning in found.warnings:
            note(f"warning: {warning}")
        tasks = f"{len(found.plan.tasks)} tasks" if found.plan is not None else "the agent plans"
        self.stdout.write(f"{file}: valid, {len(found.spec.requirements)} requirements, {tasks}")
        for gate in found.gates:
            self.stdout.write(f"gate '{gate['name']}' {gate['side']} {gate['at']}")

    @command()
    @guarded
    def start(
        self,
        file: File,
        config: Config = None,
        workflow_id: Annotated[str, typer.Option(help="the handle; else the spec's project_id")] = "",
        engine: Annotated[str, typer.Option(help="auto, temporal or celery")] = "",
        wait: Annotated[bool, typer.Option("--wait", help="until it ends; hosts a worker if none is alive")] = False,
        as_user: Annotated[str, typer.Option("--as", help="the account that starts it; else you, by your login")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Start a project."""
        spec, how = read_document(file), configuration(config)
        for warning in () if as_json else prepared(spec=spec, config=how, workflow_id=workflow_id).warnings:
            note(f"warning: {warning}")
        run, new = start_project(
            spec=spec,
            config=how,
            actor=as_account(as_user, door="console", field="as") if as_user else actor(),
            workflow_id=workflow_id,
            engine=engine,
        )
        if not as_json:
            note(f"project {run.workflow_id} {'started' if new else 'is there already'} on the {run.engine} engine")
        raise typer.Exit(_watched(run, as_json) if wait else _told(run, as_json, new))

    @command()
    @guarded
    def show(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """One project: phase, progress, cost, forecast, tasks, requirements, criteria, gates."""
        _shown(get_project(workflow_id), as_json)

    @command()
    @guarded
    def plan(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """Its tasks, what each depends on, and which requirements each serves."""
        view = plan_view(get_project(workflow_id))
        put_json(view) if as_json else projects.plan(view)

    @command()
    @guarded
    def tasks(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """Its tasks, and every attempt at each."""
        views = task_views(get_project(workflow_id))
        put_json(views) if as_json else projects.tasks(views)

    @command()
    @guarded
    def requirements(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """What was asked for, the tasks that serve it, and how far it is."""
        found = project_view(get_project(workflow_id))["requirements"]
        put_json(found) if as_json else projects.requirements(found)

    @command()
    @guarded
    def evidence(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """What proves each criterion, our own checks, and the signed pack."""
        view = evidence_view(get_project(workflow_id))
        put_json(view) if as_json else projects.evidence(view)

    @command()
    @guarded
    def costs(self, workflow_id: Project, as_json: AsJson = False) -> None:
        """What the agents have spent, by task and by endpoint."""
        view = costs_view(get_project(workflow_id))
        put_json(view) if as_json else projects.costs(view)

    @command()
    @guarded
    def deploy(
        self,
        workflow_id: Project,
        strategy: Annotated[str, typer.Option(help="another than the project's: blue_green, rolling, canary …")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Deploy the project's verified head, as a run of its own."""
        run = deploy(get_project(workflow_id).workflow_id, actor=actor(), strategy=strategy)
        put_json(run_view(run)) if as_json else self.stdout.write(f"run {run.workflow_id} deploys it")

    @command()
    @guarded
    def logs(
        self,
        workflow_id: Project,
        step: Annotated[str, typer.Option("--step", help="only what is about this step")] = "",
        level: Annotated[str, typer.Option(help="this one and above: debug, info, warning, error, critical")] = "",
        follow: Annotated[bool, typer.Option("--follow", help="go on until the project has ended")] = False,
        limit: Annotated[int, typer.Option(help="entries at most; with --follow, at a time")] = 1000,
        as_json: AsJson = False,
    ) -> None:
        """What happened and what was logged in all its runs, its agents' lines too. JSON is one entry a line."""
        run = get_project(workflow_id)
        for entry in log.project_entries(run, step=step, level=level, follow=follow, limit=limit):
            put_json(entry) if as_json else self.stdout.write(log.line(entry))


def _shown(run: Run, as_json: bool) -> None:
    view = project_view(run)
    put_json(view) if as_json else projects.show(view, [] if run.finished_at else why(run))


def _told(run: Run, as_json: bool, new: bool) -> int:
    run = get_project(run.workflow_id)
    if as_json:
        put_json(project_view(run))
    return OK if new or not run.finished_at or run.status == RunStatus.COMPLETED else OTHERWISE


def _watched(run: Run, as_json: bool) -> int:
    try:
        run = watch(run, tell=(lambda _: None) if as_json else note)
    except KeyboardInterrupt:
        note(f"the project goes on without this terminal: `manage.py project show {run.workflow_id}`")
        return INTERRUPTED
    _shown(run, as_json)
    return OK if run.status == RunStatus.COMPLETED else OTHERWISE
