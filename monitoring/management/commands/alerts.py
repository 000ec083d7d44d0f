"""`manage.py alerts`: see what is wrong with groups of runs, and say who is on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from django_typer.management import command

from foundation.clock import database_now
from foundation.console.exit_codes import actor, guarded, note, put_json
from foundation.errors import BadInput
from monitoring.alerting import acts, silences
from monitoring.console import show_alerts
from monitoring.console.alert_rules import AlertRules
from monitoring.console.alert_runs import AlertRuns
from monitoring.models import Alert
from monitoring.queries.alerts import alert_view, alerts, members_of, notes_of, silence_view

AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
AlertId = Annotated[int, typer.Argument(help="the alert's number")]
Note = Annotated[str, typer.Option(help="why; kept in the audit")]
HOUR = 3600.0


class Command(AlertRules, AlertRuns):
    help = "See alerts, acknowledge, resolve, silence … them, act on their runs, and change their rules."

    @command(name="list")
    @guarded
    def list_alerts(
        self,
        all_of_them: Annotated[bool, typer.Option("--all", help="resolved ones too")] = False,
        severity: Annotated[str, typer.Option(help="warning or critical")] = "",
        limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """Alerts that are firing, the worst first."""
        rows = [alert_view(row) for row in alerts(state="" if all_of_them else Alert.FIRING, severity=severity)[:limit]]
        if not rows and not as_json:
            note(
                "no alert is there"
                if all_of_them
                else "no alert is firing" + (f" that is {severity}" if severity else "")
            )
        put_json(rows) if as_json else show_alerts.alert_list(rows)

    @command()
    @guarded
    def show(self, alert_id: AlertId, as_json: AsJson = False) -> None:
        """One alert: its runs, and what happened to it."""
        alert = acts.alert_by_id(alert_id)
        view = alert_view(alert) | {"member_list": members_of(alert), "notes": notes_of(alert)}
        put_json(view) if as_json else show_alerts.alert(view)

    @command()
    @guarded
    def ack(self, alert_id: AlertId, note: Note = "", as_json: AsJson = False) -> None:
        """Say that somebody is on it."""
        _told(acts.acknowledge(alert_id, actor=actor(), note=note), as_json)

    @command()
    @guarded
    def unack(self, alert_id: AlertId, note: Note = "", as_json: AsJson = False) -> None:
        """Take an acknowledgement back."""
        _told(acts.unacknowledge(alert_id, actor=actor(), note=note), as_json)

    @command()
    @guarded
    def resolve(self, alert_id: AlertId, note: Note = "", as_json: AsJson = False) -> None:
        """Close an alert of what does not go away by itself."""
        _told(acts.resolve(alert_id, actor=actor(), note=note), as_json)

    @command()
    @guarded
    def silence(
        self,
        matchers: Annotated[list[str], typer.Argument(help="label=value, such as target=payments.local")],
        reason: Annotated[str, typer.Option(help="why nobody has to hear of it")] = "",
        hours: Annotated[float, typer.Option(min=0.01, max=720, help="how long")] = 1,
        while_firing: Annotated[bool, typer.Option("--while-firing", help="no longer than they fire")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Tell of no alert that matches."""
        made = silences.silence(
            matchers=_pairs(matchers), reason=reason, ends_at=database_now() + timedelta(seconds=hours * HOUR),
            while_firing=while_firing, actor=actor(),
        )  # fmt: skip
        put_json(silence_view(made)) if as_json else note(
            f"silence {made.pk} lasts until {made.ends_at:%Y-%m-%d %H:%M} UTC"
        )

    @command()
    @guarded
    def unsilence(self, silence_id: Annotated[int, typer.Argument(help="its number")], as_json: AsJson = False) -> None:
        """End a silence now."""
        ended = silences.end_silence(silence_id, actor=actor())
        put_json(silence_view(ended)) if as_json else note(f"silence {ended.pk} is over")


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        label, sign, value = text.partition("=")
        if not sign:
            raise BadInput(f"'{text[:80]}' is no matcher", field="matchers", remedy="give label=value")
        found[label] = value
    return found


def _told(alert: Alert, as_json: bool) -> None:
    view = alert_view(alert)
    if as_json:
        put_json(view)
        return
    by = f", acknowledged by {alert.acked_by}" if alert.acked_by else ""
    note(f"alert {alert.pk} is {alert.state}{by}")
