"""`manage.py deployment`: what is deployed on this machine."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from django_typer.management import command
from rich.markup import escape
from rich.table import Table

from foundation.console.command import ConsoleCommand
from foundation.console.confirm import confirm
from foundation.console.exit_codes import actor, guarded, put_json
from foundation.console.tables import out, whole
from orchestration.projects.deployment.service import deployment_views, stop_deployment

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]


class Command(ConsoleCommand):
    help = "See and stop what the driver `local` has deployed on this machine."

    @command()
    @guarded
    def status(
        self, name: Annotated[str, typer.Argument(help="the deployment; left out, all")] = "", as_json: AsJson = False
    ) -> None:
        """Who serves, on which ports, how many requests were answered."""
        views = deployment_views(name)
        if as_json:
            put_json({"deployments": views})
            return
        for view in views:
            _show(view)
        if not views:
            self.stdout.write("nothing is deployed on this machine")

    @command()
    @guarded
    def stop(
        self,
        name: Annotated[str, typer.Argument(help="the deployment")],
        note: Annotated[str, typer.Option(help="why, for the audit")] = "",
        yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
        as_json: AsJson = False,
    ) -> None:
        """End its switch and its processes and give the ports back; its users get no connection from then on."""
        (view,) = deployment_views(name)
        lines = [f"{one['release']} on port {one['port']} ends" for one in view["backends"]]  # type: ignore[union-attr,index,call-overload]
        confirm(f"stop {name}", [*lines, f"{view['address']} takes no requests any more"], refusal="", yes=yes)
        done = stop_deployment(name, actor=actor(), note=note)
        put_json(done) if as_json else self.stdout.write(f"{name} is stopped")


def _show(view: Any) -> None:
    out().print(f"{escape(view['name'])}  {view['address'] or 'no port'}  switch {view['switch']}")
    if view["outage_since"]:
        out().print(f"[red]nothing serves[/red] since {view['outage_since']}")
    table = Table("release", "process", "port", "weight", "state", "requests", "bad", box=None, pad_edge=False)
    for one in view["backends"]:
        counted = view["requests"].get(one["release"], {})
        cells = (one["release"], one["replica"], one["port"], one["weight"], "runs" if one["running"] else "down")
        table.add_row(*map(str, cells), str(counted.get("requests", 0)), str(counted.get("bad", 0)))
    whole(table)
