"""`alerts rules` and `alerts rule`: which rules there are, and whom they tell."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, note, put_json
from monitoring.alerting.rule_changes import change_rule, rule_by_name
from monitoring.alerting.rules import all_rules
from monitoring.console import show_alerts
from monitoring.queries.alerts import rule_view

AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]


class AlertRules(ConsoleCommand):
    @command()
    @guarded
    def rules(self, as_json: AsJson = False) -> None:
        """All rules: in force or not, whom they tell, and when."""
        rows = [rule_view(row) for _, row in sorted(all_rules().items())]
        put_json(rows) if as_json else show_alerts.rule_list(rows)

    @command()
    @guarded
    def rule(
        self,
        name: Annotated[str, typer.Argument(help="such as run_failed")],
        enabled: Annotated[bool | None, typer.Option("--on/--off", help="in force, or not")] = None,
        channel: Annotated[list[str] | None, typer.Option(help="tells this channel; once for each")] = None,
        operators: Annotated[bool, typer.Option("--operators", help="tells the operators, and no channel")] = False,
        for_s: Annotated[float | None, typer.Option("--for", help="seconds that a trouble has to be there")] = None,
        resolve_after_s: Annotated[float | None, typer.Option("--resolve-after", help="seconds, gone")] = None,
        repeat_s: Annotated[float | None, typer.Option("--repeat", help="seconds until it is told again")] = None,
        as_json: AsJson = False,
    ) -> None:
        """One rule; with options, changed."""
        given = {"enabled": enabled, "for_s": for_s, "resolve_after_s": resolve_after_s, "repeat_s": repeat_s}
        changes = {field: value for field, value in given.items() if value is not None}
        if channel or operators:
            changes["channels"] = list(channel or ())  # type: ignore[assignment]
        row = change_rule(name, changes, actor=actor()) if changes else rule_by_name(name)
        view = rule_view(row)
        put_json(view) if as_json else show_alerts.rule_list([view])
        if changes and not as_json:
            note(f"rule {name} is {'on' if row.enabled else 'off'}")
