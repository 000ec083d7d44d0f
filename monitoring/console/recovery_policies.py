"""`recovery policies|show|validate|publish|mode`: the policies at the console."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import command

from foundation.console import text
from foundation.console.command import ConsoleCommand
from foundation.console.confirm import confirm
from foundation.console.exit_codes import actor, guarded, note, put_json
from foundation.errors import BadInput
from foundation.strict_documents import read_text
from monitoring.console import show_recovery
from monitoring.core import policy_checks
from monitoring.core.policy import Mode, RecoveryPolicy, from_body
from monitoring.queries.policies import policy_view
from monitoring.recovery import publishing
from monitoring.recovery.cautions import cautions_of, full_view
from monitoring.recovery.policies import current, policies

MOST_BYTES, MOST_LEVELS = 256 * 1024, 20

AsJson = Annotated[bool, typer.Option("--json", help="print JSON and nothing else")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
PolicyId = Annotated[str, typer.Argument(help="the policy's id")]
File = Annotated[str, typer.Argument(help="a recovery policy, YAML or JSON")]


class Policies(ConsoleCommand):
    @command(name="policies")
    @guarded
    def list_policies(self, as_json: AsJson = False) -> None:
        """The policies, those that are off too; the first in line first."""
        rows = [policy_view(row) for row in policies()]
        put_json(rows) if as_json else show_recovery.policy_list(rows)

    @command()
    @guarded
    def show(self, policy_id: PolicyId, as_json: AsJson = False) -> None:
        """One policy with its versions."""
        view = full_view(current(policy_id))
        put_json(view) if as_json else show_recovery.policy(view)

    @command()
    @guarded
    def validate(self, file: File, as_json: AsJson = False) -> None:
        """Say whether a policy is valid, and what is doubtful about it."""
        policy = policy_of(file)
        cautions = cautions_of(policy)
        if as_json:
            put_json({**policy.body(), "warnings": cautions})
            return
        text.line(f"{file}: {policy.policy_id} is valid")
        _told(cautions)

    @command()
    @guarded
    def publish(self, file: File, yes: Yes = False, as_json: AsJson = False) -> None:
        """Put a policy in force, in place of the one with its policy_id."""
        policy = policy_of(file)
        cautions = cautions_of(policy)
        confirm(f"publish {policy.policy_id}", [*show_recovery.in_words(policy), *cautions], refusal="", yes=yes)
        row, new = publishing.publish(policy, actor=actor())
        if as_json:
            put_json({**policy_view(row), "warnings": cautions})
            return
        text.line(f"{row} is {row.mode}" if new else f"{row} is there already")
        _told(cautions)

    @command()
    @guarded
    def mode(
        self,
        policy_id: PolicyId,
        mode: Annotated[str, typer.Argument(help="off, shadow or live")],
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        """Switch a policy off, to shadow (it only writes down what it would do) or live."""
        row, mode = current(policy_id), policy_checks.one_of("mode", mode, Mode)
        confirm(f"switch {policy_id}", [f"it is {row.mode}, and will be {mode}"], refusal="", yes=yes)
        row = publishing.set_mode(policy_id, mode, actor=actor())
        put_json(policy_view(row)) if as_json else text.line(f"{row} is {row.mode}")


def policy_of(file: str) -> RecoveryPolicy:
    """The policy in a YAML or JSON file.

    Raises:
        BadInput: it cannot be read, or is no such policy.
    """
    try:
        written = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"{file} cannot be read: {reason}", field="file", remedy="give a YAML or JSON file") from None
    return from_body(
        read_text(
            written, name=file, field="file", most_bytes=MOST_BYTES, most_levels=MOST_LEVELS,
            too_large="make it shorter", place=lambda _, path: ".".join(str(part) for part in path),
        )
    )  # fmt: skip


def _told(cautions: Iterable[str]) -> None:
    for caution in cautions:
        note(f"doubtful: {caution}")
