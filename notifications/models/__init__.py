from notifications.models.channel import Channel
from notifications.models.contact import Contact
from notifications.models.notice import Delivery, Notice
from notifications.models.outage import Outage, Watch

__all__ = ["Channel", "Contact", "Delivery", "Notice", "Outage", "Watch"]
