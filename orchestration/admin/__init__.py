"""The admin door: read-mostly lists, the run page, and a confirmation for every verb."""

from orchestration.admin.definitions import DefinitionAdmin
from orchestration.admin.lists import ApiTokenAdmin, AuditEventAdmin
from orchestration.admin.runs import RunAdmin

__all__ = ["ApiTokenAdmin", "AuditEventAdmin", "DefinitionAdmin", "RunAdmin"]
