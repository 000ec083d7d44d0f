"""What other apps call: notify, supersede, resend, send_test.

Each writes its rows in the caller's transaction, or in one of its own; messages go out after the commit. `notify` and
`supersede` are idempotent by their `dedupe`: stored once, whatever a repetition says. Refusals are the errors of
`foundation.errors`. Acts of people are in the audit, in the chain `notifications`.

Imported by approvals and by this app's admin; imports `routing`, `delivery` and `models`.
"""

from notifications.routing.recipients import existing_channels, of_account, reachable
from notifications.services.notify import notify
from notifications.services.resend import resend
from notifications.services.send_test import send_test
from notifications.services.supersede import supersede

__all__ = ["existing_channels", "notify", "of_account", "reachable", "resend", "send_test", "supersede"]
