"""The admin door: channels and contacts are made here; notices and deliveries are looked at."""

from notifications.admin.channels import ChannelAdmin
from notifications.admin.contacts import ContactAdmin
from notifications.admin.deliveries import DeliveryAdmin
from notifications.admin.notices import NoticeAdmin

__all__ = ["ChannelAdmin", "ContactAdmin", "DeliveryAdmin", "NoticeAdmin"]
