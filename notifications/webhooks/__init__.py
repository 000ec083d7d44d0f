"""Signed callbacks by Standard Webhooks 1.0.0 (docs/howto/callbacks.md).

`endpoints` are the addresses that an owner wants called, with their `keys`, encrypted at rest; `outbox` stores what has
to be sent, in the caller's transaction; `worker` sends it by `foundation.outbox`: each endpoint one at a time, oldest
first, up to ten attempts over three days.

A callback can arrive twice: its receiver recognises it by its `webhook-id`. Imported by approvals and this app's admin.
"""

from notifications.webhooks.endpoints import enable, endpoint_for, rotate
from notifications.webhooks.outbox import call_back, cancel, redeliver
from notifications.webhooks.worker import deliver_due

__all__ = ["call_back", "cancel", "deliver_due", "enable", "endpoint_for", "redeliver", "rotate"]
