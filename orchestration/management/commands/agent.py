"""`manage.py agent`: the endpoints of agents."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import OK, OTHERWISE, actor, guarded, note, put_json
from foundation.console.pairs import texts
from orchestration.agents.endpoints import services
from orchestration.agents.endpoints.check import check as check_now
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.views import endpoint_view, endpoint_views
from orchestration.console import agents
from orchestration.models import AgentEndpoint

Name = Annotated[str, typer.Argument(help="the endpoint's name")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON value and nothing else")]


class Command(ConsoleCommand):
    help = "Endpoints of coding agents: where workers find the agents that do steps and projects."

    @command("list")
    @guarded
    def all_of_them(self, as_json: AsJson = False) -> None:
        """All endpoints, and how they are."""
        views = endpoint_views(AgentEndpoint.objects.all())
        put_json(views) if as_json else agents.endpoints(views)

    @command()
    @guarded
    def show(self, name: Name, as_json: AsJson = False) -> None:
        """One endpoint: as it was set, how it is, how many sessions it has."""
        view = endpoint_view(services.endpoint_named(name))
        put_json(view) if as_json else agents.endpoint(view)

    @command()
    @guarded
    def add(
        self,
        name: Name,
        agent_type: Annotated[str, typer.Option("--type", help="CLAUDE, CODEX, AIDER, …; in any case")],
        driver: Annotated[str, typer.Option(help="acp, cli, agentapi or scripted")],
        program: Annotated[str, typer.Option("--command", help="the program that workers start")] = "",
        arg: Annotated[list[str] | None, typer.Option(help="one of its arguments; again for the next")] = None,
        url: Annotated[str, typer.Option(help="of a server that runs already (driver agentapi)")] = "",
        env: Annotated[
            list[str] | None, typer.Option(help="K=V for its environment; a credential as K={secret:NAME}")
        ] = None,
        model: Annotated[str, typer.Option(help="left out, the agent's own choice")] = "",
        concurrency: Annotated[int, typer.Option(help="sessions at once, 1 to 100")] = 1,
        price: Annotated[
            list[str] | None, typer.Option(help="input=3, output=15, cached=0.3: of a million tokens")
        ] = None,
        sandbox: Annotated[str, typer.Option(help="if_possible, required or off")] = "if_possible",
        network: Annotated[str, typer.Option(help="host, none, or hosts: those of --host alone")] = "host",
        host: Annotated[
            list[str] | None, typer.Option(help="host, host:port or *.domain[:port]; without a port 443 and 80")
        ] = None,
        writable: Annotated[list[str] | None, typer.Option(help="a folder that it may write to besides")] = None,
        stall_seconds: Annotated[
            float | None, typer.Option(help="stopped after so long without a sign of life; left out, as the site's")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Add an endpoint. Wrong input: exit code 2."""
        given = Given(
            name=name, agent_type=agent_type, driver=driver, command=program, args=arg or (), url=url,
            env=texts(env, "env"), model=model, concurrency=concurrency, prices=texts(price, "price"), sandbox=sandbox,
            network=network, hosts=host or (), writable=writable or (), stall_seconds=stall_seconds,
        )  # fmt: skip
        row = services.add(given, actor=actor())
        if as_json:
            put_json(endpoint_view(row))
            return
        self.stdout.write(f"{row.name} added")
        note(f"`manage.py agent check {row.name}` says whether it works on this machine")

    @command("check")
    @guarded
    def ask(self, name: Name, as_json: AsJson = False) -> None:
        """Ask it on this machine: installed, version, signed in. Exit code 0: a session may begin; 1: not."""
        row, found = check_now(name, actor=actor())
        if as_json:
            told = {"installed": found.installed, "signed_in": found.signed_in, "usable": found.usable}
            put_json({**endpoint_view(row), **told})
        else:
            agents.checked(row.name, found)
        raise typer.Exit(OK if found.usable else OTHERWISE)

    @command()
    @guarded
    def enable(self, name: Name, as_json: AsJson = False) -> None:
        """Give it attempts again."""
        self._became(services.enable(name, actor=actor()), "enabled", as_json)

    @command()
    @guarded
    def disable(self, name: Name, as_json: AsJson = False) -> None:
        """Give it no further attempts; those that it has go on."""
        self._became(services.disable(name, actor=actor()), "disabled", as_json)

    @command()
    @guarded
    def remove(self, name: Name, as_json: AsJson = False) -> None:
        """Remove it. What its attempts came to stays."""
        view = endpoint_view(services.endpoint_named(name))
        services.remove(name, actor=actor())
        put_json(view) if as_json else self.stdout.write(f"{name} is removed")

    def _became(self, row: AgentEndpoint, what: str, as_json: bool) -> None:
        put_json(endpoint_view(row)) if as_json else self.stdout.write(f"{row.name} is {what}")
