"""The admin's pages of notifications: channels, contacts, endpoints; notices, deliveries and callbacks.

Channels, contacts and endpoints are made and changed here, with a row in the audit. Notices, deliveries and callbacks
are shown; a dead one can be sent again. A button calls one function of `services` or `webhooks`, and judges nothing.
Imported by Django's admin alone.
"""

from notifications.admin.channels import ChannelAdmin
from notifications.admin.contacts import ContactAdmin
from notifications.admin.deliveries import DeliveryAdmin
from notifications.admin.notices import NoticeAdmin
from notifications.admin.webhooks import CallbackAdmin, EndpointAdmin

__all__ = ["CallbackAdmin", "ChannelAdmin", "ContactAdmin", "DeliveryAdmin", "EndpointAdmin", "NoticeAdmin"]
