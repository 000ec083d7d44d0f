"""`manage.py policy`: publish, see and check policies."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from django_typer.management import command

from approvals.console import policies
from approvals.console.inputs import AsJson, read_file
from approvals.core.policy.definition import PolicyDefinition
from approvals.requests import publish_policy
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import actor, guarded, put_json

File = Annotated[str, typer.Argument(help="a policy, YAML or JSON")]


class Command(ConsoleCommand):
    help = "Publish, see and check the policies that say who decides."

    @command()
    @guarded
    def publish(self, file: File, as_json: AsJson = False) -> None:
        """Store a policy as a version. What is open keeps the version it has."""
        data = read_file(file)
        policies.checked(data)
        stored, new = publish_policy(data=data, actor=actor())
        if as_json:
            put_json(policies.view(stored))
        else:
            self.stdout.write(f"{stored} {'published' if new else 'is there already'}")
            policies.doubted(PolicyDefinition.model_validate(stored.body))

    @command(name="list")
    @guarded
    def list_policies(self, as_json: AsJson = False) -> None:
        """The latest version of each."""
        rows = policies.rows()
        put_json(rows) if as_json else policies.listed(rows)

    @command()
    @guarded
    def show(
        self,
        name: Annotated[str, typer.Argument(help="its name")],
        number: Annotated[int | None, typer.Option("--version", min=1, help="the latest without it")] = None,
        as_json: AsJson = False,
    ) -> None:
        """A version, whole."""
        view = policies.view(policies.found(name, number or 0))
        put_json(view) if as_json else policies.shown(view)

    @command()
    @guarded
    def validate(self, file: File) -> None:
        """Say whether a policy is valid; name every problem."""
        policy = policies.checked(read_file(file))
        self.stdout.write(f"{file}: valid, {len(policy.stages)} stage{'s' if len(policy.stages) > 1 else ''}")
        policies.doubted(policy)

    @command()
    @guarded
    def schema(self) -> None:
        """Print the JSON Schema of a policy."""
        self.stdout.write(json.dumps(PolicyDefinition.model_json_schema(), indent=2))
