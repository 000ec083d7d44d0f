"""What every door calls: open a request, decide it, and everything else that is done to one.

Each function is one transaction: lock the request (`state.lock`), let its due timers fire, decide by the core, write
rows, audit and messages. `decide` is called for every button, link, call and command; the doors find out who the person
is and how that is known (`caller`), and judge nothing. Who may do an act is a line of `rights`; what may be done now,
`allowed_actions`, which pages, API, console and Slack ask. `propose` asks people for an act that an agent may not do.
`state` writes, `messages` tells people.

Refusals are the errors of `foundation.errors`. Imported by the doors of approvals (admin, api, console, web, slack,
client, gate); imports `policies`, `evidence`, `queries`, `core` and `models`, orchestration's `runs`, and
notifications.
"""

from approvals.core.content import Ask
from approvals.policies.publish import publish_policy
from approvals.requests.acts import name_people, reassign, remark, revoke, withdraw
from approvals.requests.amend import resubmit
from approvals.requests.decide import Evidence, decide
from approvals.requests.delegations import delegate_while_away, end_delegation
from approvals.requests.lookup import get_request
from approvals.requests.open_request import ask
from approvals.requests.proposals import propose
from approvals.requests.remind import remind

__all__ = [
    "Ask",
    "Evidence",
    "ask",
    "decide",
    "delegate_while_away",
    "end_delegation",
    "get_request",
    "name_people",
    "propose",
    "publish_policy",
    "reassign",
    "remark",
    "remind",
    "resubmit",
    "revoke",
    "withdraw",
]
