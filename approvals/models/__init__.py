"""Models of approvals.

`Policy` is a stored version of a policy; `Request` one question with its frozen plan and its state; `Seat` a person's
place in the open stage; `Vote`, `Remark` and `Delegation` what people said and arranged; `Link` the page of a person
without an account.

A request's state, seats and votes are written by `approvals.requests` alone, under the locks of its run and its row.
Everything in approvals may read them; no other app imports them but `zen_project`, for the demonstration.
"""

from approvals.models.policy import Policy
from approvals.models.request import Link, Request, Seat
from approvals.models.vote import Delegation, Remark, Vote

__all__ = ["Delegation", "Link", "Policy", "Remark", "Request", "Seat", "Vote"]
