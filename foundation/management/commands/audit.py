"""`manage.py audit`: seal, verify and export what was recorded."""

from __future__ import annotations

from typing import Annotated

import typer
from django_typer.management import command

from foundation.audit import signing_key
from foundation.audit.export import exported, seal_view
from foundation.audit.findings import Finding, Report
from foundation.audit.seal import seal as seal_now
from foundation.audit.verify import verify as verify_all
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import OK, OTHERWISE, guarded, note, put_json

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]
Chain = Annotated[str | None, typer.Option(help="only the chain of this run; '' is the chain of no run")]


class Command(ConsoleCommand):
    help = "Seal the audit, and prove that it was not changed."

    @command()
    @guarded
    def verify(
        self,
        workflow_id: Chain = None,
        trust: Annotated[list[str] | None, typer.Option(help="a public key of earlier seals")] = None,
        seal: Annotated[str, typer.Option(help="the hash of a seal that you kept; it must be among ours")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Walk all chains and seals. Exit code 0: whole; 1: broken, and where."""
        report = verify_all(chain=workflow_id, trust=trust or (), kept_seal=seal)
        put_json(report.as_dict()) if as_json else _tell(report)
        raise typer.Exit(OK if report.is_whole else OTHERWISE)

    @command()
    @guarded
    def seal(self, as_json: AsJson = False) -> None:
        """Sign how far all chains have come. Keep the hash somewhere else."""
        made = seal_now()
        if as_json:
            put_json(seal_view(made))
            return
        note(f"seal {made.number}: {made.rows} rows in {made.chains} chains, {made.moved} of them grew")
        self.stdout.write(made.hash)

    @command()
    @guarded
    def key(self, pem: Annotated[bool, typer.Option("--pem", help="as openssl reads it")] = False) -> None:
        """Print the public key that verifies the seals."""
        note(f"key {signing_key.key_id()}, ed25519")
        self.stdout.write(signing_key.public_pem().strip() if pem else signing_key.public_key())

    @command()
    @guarded
    def export(self, workflow_id: Chain = None) -> None:
        """Print rows and seals, one JSON object a line, for somebody who verifies them without us."""
        for value in exported(chain=workflow_id):
            put_json(value)


def _tell(report: Report) -> None:
    for finding in report.findings:
        print(f"{_where(finding)}: {finding.message}")
    seen = f"{report.rows} rows in {report.chains} chains, {report.seals} seals"
    note(f"whole: {seen}" if report.is_whole else f"not whole: {len(report.findings)} findings in {seen}")


def _where(finding: Finding) -> str:
    if finding.chain is not None:
        return f"chain '{finding.chain}'"
    return f"seal {finding.seal}" if finding.seal is not None else "audit"
