"""Models of the audit and of API tokens.

`AuditEvent` is a row of a chain, `AuditSeal` a signed statement with its `SealedHead` rows, `SealInHand` the lease on
the seal that is being made; `ApiToken` a bearer token. Their app label is `orchestration` (docs/adr/0010), so tables,
permissions and admin addresses are what they were before this package existed.

Audit rows are written by `foundation.audit` and tokens by `foundation.identity.tokens` alone; pages
and commands read them. Triggers of the database refuse to change or delete what the audit holds.
"""

from foundation.models.audit import AuditEvent, AuditSeal, SealedHead, SealInHand
from foundation.models.token import ApiToken

__all__ = ["ApiToken", "AuditEvent", "AuditSeal", "SealInHand", "SealedHead"]
