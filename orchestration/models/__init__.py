from orchestration.models.audit import AuditEvent, AuditSeal, SealedHead, SealInHand
from orchestration.models.definition import Definition
from orchestration.models.run import RULES, Command, Event, Message, Run, Step, Worker
from orchestration.models.token import ApiToken

__all__ = [
    "RULES",
    "ApiToken",
    "AuditEvent",
    "AuditSeal",
    "Command",
    "Definition",
    "Event",
    "Message",
    "Run",
    "SealInHand",
    "SealedHead",
    "Step",
    "Worker",
]
