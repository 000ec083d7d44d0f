"""`alerts act`: one verb on all runs of an alert, previewed and asked for, then followed until it is done."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.confirm import confirm
from foundation.console.exit_codes import OTHERWISE, actor, guarded, put_json
from monitoring.console import show_alerts
from monitoring.trials import alert_acts, jobs

BAD = ("failed", "refused", "left")


class AlertRuns(ConsoleCommand):
    @command(name="act")
    @guarded
    def act_on_runs(
        self,
        alert_id: Annotated[int, typer.Argument(help="the alert's number")],
        verb: Annotated[str, typer.Argument(help=f"one of: {', '.join(alert_acts.VERBS)}")],
        note_: Annotated[str, typer.Option("--note", help="why; kept in the audit")] = "",
        preview: Annotated[bool, typer.Option("--preview", help="say what it would do, and do nothing")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="print JSON and nothing else")] = False,
    ) -> None:
        """A verb on all runs of an alert: one first, then 2, 4, 8 …; stops where they fail again."""
        foretold = alert_acts.preview_act(alert_id, verb, actor=actor())
        if preview:
            put_json(foretold) if as_json else show_alerts.act_preview(foretold)
            return
        confirm(f"{verb} on the runs of alert {alert_id}", _lines(foretold), refusal="", yes=yes)
        job = jobs.done_now(alert_acts.ask_act(alert_id, verb, actor=actor(), note=note_))
        put_json(jobs.job_view(job)) if as_json else show_alerts.act_results(jobs.job_view(job))
        counts = (job.results or {}).get("counts", {})
        if job.error or any(counts.get(word) for word in BAD):
            raise typer.Exit(OTHERWISE)


def _lines(foretold: dict[str, Any]) -> list[str]:
    shown = len(foretold["runs"])
    of = f"{foretold['legal']} of {shown}" if shown == foretold["of"] else f"{foretold['legal']} of the first {shown}"
    lines = [f"legal on {of} runs; {foretold['of']} in all, one first, then 2, 4, 8 …"]
    whys = {row["why"] for row in foretold["runs"] if row["why"]}
    return lines + [f"not on others: {why}" for why in sorted(whys)[:5]]
