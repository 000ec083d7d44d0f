from notifications.models.channel import Channel
from notifications.models.contact import Contact
from notifications.models.notice import Delivery, Notice

__all__ = ["Channel", "Contact", "Delivery", "Notice"]
