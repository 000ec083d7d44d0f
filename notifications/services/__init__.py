"""What other rooms call: tell, reachable, settle, resend, send_test, open_window."""

from notifications.people import reachable
from notifications.services.resend import resend
from notifications.services.settle import settle
from notifications.services.tell import tell
from notifications.services.trial import send_test
from notifications.services.window import open_window

__all__ = ["open_window", "reachable", "resend", "send_test", "settle", "tell"]
