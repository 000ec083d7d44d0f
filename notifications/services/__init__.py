"""What other rooms call: tell, settle, resend, send_test."""

from notifications.services.resend import resend
from notifications.services.settle import settle
from notifications.services.tell import tell
from notifications.services.trial import send_test

__all__ = ["resend", "send_test", "settle", "tell"]
