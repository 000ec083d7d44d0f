from approvals.services.acts import name_people, reassign, revoke, withdraw
from approvals.services.ask import ask
from approvals.services.decide import Evidence, decide
from approvals.services.delegations import delegate_while_away, end_delegation
from approvals.services.policies import publish_policy
from approvals.services.question import Ask
from approvals.services.remind import remind
from approvals.services.renew import resubmit
from approvals.services.talk import remark
from approvals.services.view import get_request

__all__ = [
    "Ask",
    "Evidence",
    "ask",
    "decide",
    "delegate_while_away",
    "end_delegation",
    "get_request",
    "name_people",
    "publish_policy",
    "reassign",
    "remark",
    "remind",
    "resubmit",
    "revoke",
    "withdraw",
]
