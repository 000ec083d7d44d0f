"""The admin's pages of orchestration: lists, the page of a run, and a confirmation for every verb.

A page shows what `runs.queries` returns and offers what `runs.allowed_actions` allows; a button calls one function of
`runs`. Audit rows and tokens are shown here too, since their tables are of this app.
Imported by Django's admin alone.
"""

from orchestration.admin.agents import AgentAttemptAdmin, AgentEndpointAdmin
from orchestration.admin.definitions import DefinitionAdmin
from orchestration.admin.lists import ApiTokenAdmin, AuditEventAdmin, TombstoneAdmin
from orchestration.admin.runs import RunAdmin

__all__ = [
    "AgentAttemptAdmin",
    "AgentEndpointAdmin",
    "ApiTokenAdmin",
    "AuditEventAdmin",
    "DefinitionAdmin",
    "RunAdmin",
    "TombstoneAdmin",
]
