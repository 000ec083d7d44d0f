"""What every door calls: start a run, act on it, publish a definition; and what doors read.

A write is one transaction with its audit row, and effects come after the commit: `start`, `acts`, `definitions`,
`delivery`, `relay`. A read never writes: `queries`, `waiting_reasons`, `descendants`, `failure_matrix`. Functions that
refuse raise the errors of `foundation.errors`, each with field, value and remedy; they check the actor's rights
themselves, so doors (admin, api, console, client) check nothing again.

`external` is how another app opens, locks and writes a run whose state it keeps (docs/adr/0006); `allowed_actions` says
what a person may do to a run now. Imported by doors, `execution`, `workers`, approvals and the demonstration. Imports
`engines`, `ports`, `ledger` and what is below.
"""

from orchestration.runs.acts import act, event_for, get_run, preview
from orchestration.runs.definitions import check_definition, publish
from orchestration.runs.start import start_run

__all__ = ["act", "check_definition", "event_for", "get_run", "preview", "publish", "start_run"]
