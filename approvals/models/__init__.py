from approvals.models.callbacks import Callback, Endpoint
from approvals.models.link import Link
from approvals.models.policy import Policy
from approvals.models.press import Press
from approvals.models.request import Request, Seat
from approvals.models.vote import Delegation, Remark, Vote

__all__ = ["Callback", "Delegation", "Endpoint", "Link", "Policy", "Press", "Remark", "Request", "Seat", "Vote"]
