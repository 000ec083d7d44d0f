"""`recovery attempts|trigger|reset|stop|start`: what recovery has done, and what people do about it."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from foundation.console import text
from foundation.console.command import ConsoleCommand
from foundation.console.confirm import confirm
from foundation.console.exit_codes import OTHERWISE, actor, guarded, note, put_json
from monitoring.console import show_attempts
from monitoring.console.recovery_policies import AsJson, Yes
from monitoring.performing import switch
from monitoring.performing.by_hand import trigger
from monitoring.performing.intended import intended
from monitoring.queries import recovery
from monitoring.recovery.policies import current
from orchestration.runs import get_run

WorkflowId = Annotated[str, typer.Argument(help="the run's handle")]
Note = Annotated[str, typer.Option(help="why; kept in the audit")]


class Attempts(ConsoleCommand):
    @command()
    @guarded
    def attempts(
        self,
        run: Annotated[str, typer.Option(help="only of this run")] = "",
        policy: Annotated[str, typer.Option(help="only of this policy")] = "",
        state: Annotated[str, typer.Option(help="open, worked, failed, …")] = "",
        limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """What recovery has done, the latest first."""
        if run:
            get_run(run)
        if policy and not recovery.attempts(policy_id=policy).exists():
            current(policy)
        rows = recovery.views(recovery.attempts(run=run, policy_id=policy, state=state)[:limit])
        if not rows and not as_json:
            note(
                "recovery has done nothing that matches" if run or policy or state else "recovery has done nothing yet"
            )
        if not as_json and (stopped := recovery.stopped()) is not None:
            note(recovery.in_words(stopped))
        put_json(rows) if as_json else show_attempts.attempt_list(rows)

    @command(name="trigger")
    @guarded
    def trigger_one(
        self,
        workflow_id: WorkflowId,
        reason: Annotated[str, typer.Option(help="why; kept in the audit")],
        action: Annotated[str, typer.Option(help="retry, restart, …; none: what its health recommends")] = "",
        step: Annotated[str, typer.Option(help="only this step")] = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Have a run mended now. Exit code 1: it is not legal now, and nothing was done."""
        found = intended(workflow_id, action or None, actor=actor(), step_id=step)
        confirm(f"{found.action or 'recover'} {workflow_id}", found.lines, refusal=found.refusal, yes=yes)
        result = trigger(workflow_id, reason, action or None, actor=actor(), step_id=step)
        put_json(result.as_json()) if as_json else text.line(result.message)
        if not result.success:
            raise typer.Exit(OTHERWISE)

    @command()
    @guarded
    def reset(
        self,
        workflow_id: WorkflowId,
        policy: Annotated[str, typer.Option(help="only of this policy")] = "",
        note: Note = "",
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Give the policies their attempts on a run back."""
        get_run(workflow_id)
        lines = [recovery.sentence(row) for row in recovery.attempts(run=workflow_id, policy_id=policy)[:20]]
        confirm(f"these count no more on {workflow_id}", lines, refusal="", yes=yes)
        count = switch.reset(workflow_id, actor=actor(), policy_id=policy, note=note)
        put_json({"reset": count}) if as_json else text.line(f"{count} attempts count no more")

    @command()
    @guarded
    def stop(self, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Stop recovery on the whole site: what is decided waits."""
        confirm("stop recovery", ["no policy acts until somebody starts it again"], refusal="", yes=yes)
        made = switch.stop(actor=actor(), note=note)
        put_json(recovery.switch_view()) if as_json else text.line(recovery.in_words(made))

    @command()
    @guarded
    def start(self, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
        """Let policies act again."""
        waiting = recovery.attempts(state="open").count()
        confirm("start recovery", [f"{waiting} attempts are open and go on"], refusal="", yes=yes)
        was_stopped = switch.start(actor=actor(), note=note)
        said = "recovery goes on" if was_stopped else "recovery was not stopped"
        put_json(recovery.switch_view()) if as_json else text.line(said)
