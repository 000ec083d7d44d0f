"""Models of notifications.

`Channel` is a way to send, `Contact` the channels of an account; `Notice` what is told, `Delivery` a notice for one
person or channel (a row of the outbox); `Endpoint` and `Callback` the same for webhooks; `Press` a button that was
pressed in Slack; `Watch` and `Outage` when sending was not possible.

Rows are written by `services`, `routing`, `delivery`, `webhooks` and `slack`. Tokens of channels are references to
secrets, keys of endpoints are encrypted, and no row holds the token of a link. Approvals read channels and deliveries.
"""

from notifications.models.channel import Channel
from notifications.models.contact import Contact
from notifications.models.notice import Delivery, Notice
from notifications.models.outage import Outage, Watch
from notifications.models.press import Press
from notifications.models.webhook import Callback, Endpoint

__all__ = ["Callback", "Channel", "Contact", "Delivery", "Endpoint", "Notice", "Outage", "Press", "Watch"]
