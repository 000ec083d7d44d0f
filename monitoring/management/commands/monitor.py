"""`manage.py monitor`: how runs do, and why."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from django.conf import settings
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import OTHERWISE, actor, guarded, note, put_json
from monitoring.console import show
from monitoring.core.enums import HealthStatus
from monitoring.dashboard import dashboard
from monitoring.health_check import check_health, recovery_of
from monitoring.performing.tick import recover
from monitoring.queries.health import health_view
from monitoring.queries.lists import norm_rows, runs_by_health
from monitoring.retention.estimate import space
from monitoring.trials import jobs
from monitoring.watch import round as rounds
from monitoring.watch import site, sweep
from monitoring.watch.seldom import heartbeat, sagas, workflows

AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
AWAY = 3


class Command(ConsoleCommand):
    help = "See how runs do, and why."

    @command(name="show")
    @guarded
    def show_health(
        self, workflow_id: Annotated[str, typer.Argument(help="the run's handle; none: the site")] = "",
        limit: Annotated[int, typer.Option(min=1, max=1000, help="runs in trouble")] = 20, as_json: AsJson = False,
    ) -> None:  # fmt: skip
        """The whole site, or one run."""
        if workflow_id:
            found = check_health(workflow_id, actor()).as_json()
            put_json(found) if as_json else show.check(found, recovery_of(workflow_id))
            return
        data = dashboard()
        if as_json:
            put_json(data)
            return
        show.site(data)
        self.stdout.write(space())
        rows = [health_view(row) for row in runs_by_health()[:limit]]
        if rows:
            show.in_trouble(rows)

    @command(name="check")
    @guarded
    def check_run(
        self, workflow_id: Annotated[str, typer.Argument(help="the run's handle")], as_json: AsJson = False
    ) -> None:
        """Judge a run now. Exit code 0: healthy, 1: not, 2: there is no such run, 3: a server is away."""
        found = check_health(workflow_id, actor())
        put_json(found.as_json()) if as_json else show.check(found.as_json())
        if found.status is HealthStatus.UNKNOWN:
            raise typer.Exit(AWAY)
        raise typer.Exit(0 if found.status is HealthStatus.HEALTHY else OTHERWISE)

    @command()
    @guarded
    def watch(self) -> None:
        """Watch from here, as a worker does, until Ctrl-C."""
        if not settings.WORKFLOW_MONITORING_ENABLED:
            note("monitoring is off (WORKFLOW_MONITORING_ENABLED)")
            raise typer.Exit(OTHERWISE)
        note("watching; Ctrl-C ends it")
        while True:
            done = sweep.watch()
            recover()
            site.look()
            sagas.look()
            heartbeat.beat()
            workflows.look()
            rounds.walk()
            jobs.perform_some()
            if done is not None and done.judged:
                note(f"{done.judged} runs judged, {done.lag:.1f} s late at most")
            time.sleep(1)

    @command(name="sweep")
    @guarded
    def sweep_once(self, as_json: AsJson = False) -> None:
        """One pass over what has news or is due, and one round of all open runs."""
        done = sweep.sweep(at_once=True)
        found = {"judged": done.judged, "lag_seconds": round(done.lag, 3), "by_round": rounds.walk_once()}
        put_json(found) if as_json else self.stdout.write(
            f"{done.judged} runs judged, {found['by_round']} by the round"
        )

    @command()
    @guarded
    def norms(
        self, saga: Annotated[str, typer.Argument(help="only of this saga")] = "", as_json: AsJson = False
    ) -> None:
        """What is usual, from when on a step is slow, and what the bound is from."""
        rows = norm_rows(saga)
        if not rows and not as_json:
            note("nothing is known yet: norms come from runs that completed undisturbed")
        put_json(rows) if as_json else show.norms(rows)
