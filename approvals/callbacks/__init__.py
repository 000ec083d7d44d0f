"""Signed callbacks by Standard Webhooks 1.0.0: an outbox, its endpoints and their keys (docs/callbacks.md)."""

from approvals.callbacks.deliver import deliver_due
from approvals.callbacks.endpoints import enable, endpoint_for, rotate
from approvals.callbacks.outbox import call_back, cancel, redeliver

__all__ = ["call_back", "cancel", "deliver_due", "enable", "endpoint_for", "redeliver", "rotate"]
