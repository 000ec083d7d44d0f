"""`recovery dry-run|backtest`: what a policy would do, and what it would have done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import OTHERWISE, actor, guarded, note, put_json
from monitoring.console import show_trials
from monitoring.console.recovery_policies import AsJson, policy_of
from monitoring.core.policy import RecoveryPolicy
from monitoring.models import Job
from monitoring.recovery.policies import current, policy_in
from monitoring.trials import back_test, jobs

Which = Annotated[str, typer.Argument(help="a policy in a YAML or JSON file, or the id of one that is there")]


class Trials(ConsoleCommand):
    @command(name="dry-run")
    @guarded
    def dry_run(self, policy: Which, as_json: AsJson = False) -> None:
        """Tell what a policy would do now about the runs that are open. Changes nothing."""
        job = _done(jobs.ask_dry_run(_policy(policy), actor=actor()))
        put_json(job.results) if as_json else show_trials.dry_run(job.results or {})

    @command()
    @guarded
    def backtest(
        self,
        policy: Which,
        days: Annotated[int, typer.Option(min=1, max=back_test.MOST_DAYS, help="runs that ended within")] = (
            back_test.DAYS
        ),
        as_json: AsJson = False,
    ) -> None:
        """Tell what a policy would have done about runs that have ended. Changes nothing."""
        job = _done(jobs.ask_back_test(_policy(policy), actor=actor(), days=days))
        put_json(job.results) if as_json else show_trials.back_test(job.results or {})


def _policy(which: str) -> RecoveryPolicy:
    if Path(which).is_file() or which.lower().endswith((".yaml", ".yml", ".json")):
        return policy_of(which)
    return policy_in(current(which))


def _done(job: Job) -> Job:
    found = jobs.done_now(job)
    if found.state == Job.FAILED:
        note(f"zen: it failed: {found.error}")
        raise typer.Exit(OTHERWISE)
    return found
