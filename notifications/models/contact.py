from __future__ import annotations

from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from notifications.models.channel import Channel

DIGITS = RegexValidator(r"^\+[1-9][0-9]{6,14}\Z", "write it as +4915112345678")
SLACK_ID = RegexValidator(r"^[UW][A-Z0-9]{2,20}\Z", "a Slack member id is like U0123456789")


def check_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name[:60]!r} is no time zone; for example Europe/Berlin")


class Contact(models.Model):
    """How a person wants to be told. Without a contact a person is told by the e-mail address of their account."""

    FIRST, ALL = "first", "all"
    MODES = [(FIRST, "the first channel, and the next when it is dead"), (ALL, "all channels")]
    AT_ONCE, HOURLY, DAILY = "at_once", "hourly", "daily"
    DIGESTS = [(AT_ONCE, "at once"), (HOURLY, "hourly"), (DAILY, "daily")]

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact")
    email = models.EmailField(blank=True, default="", help_text="empty: the account's")
    slack_id = models.CharField(max_length=30, blank=True, default="", validators=[SLACK_ID])
    phone = models.CharField(max_length=20, blank=True, default="", validators=[DIGITS])
    channels = models.JSONField(
        default=list, blank=True, help_text='names of personal channels in order, such as ["slack://people"]; [] = all'
    )
    mode = models.CharField(max_length=5, choices=MODES, default=FIRST)
    zone = models.CharField(max_length=60, default="UTC", validators=[check_zone])
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    digest = models.CharField(max_length=8, choices=DIGESTS, default=AT_ONCE)
    muted = models.BooleanField(default=False, help_text="only what is urgent is sent")

    class Meta:
        ordering = ["user_id"]
        constraints = [
            # the account that pressed a button in Slack is found by it
            models.UniqueConstraint(
                fields=["slack_id"], condition=~models.Q(slack_id=""), name="one_contact_per_slack_id"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    def clean(self) -> None:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValidationError({"quiet_to": "quiet hours need both ends; leave both empty for none"})
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise ValidationError({"quiet_to": "quiet hours that end when they begin; mute the contact instead"})
        self._check_slack_id()
        self._check_channels()

    def _check_slack_id(self) -> None:
        """Beside the constraint, whose error would not stand at the field."""
        others = Contact.objects.filter(slack_id=self.slack_id).exclude(pk=self.pk).select_related("user")
        if self.slack_id and (other := others.first()):
            raise ValidationError({"slack_id": f"it is in the contact of {other} already; empty it there first"})

    def _check_channels(self) -> None:
        names = self.channels
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValidationError({"channels": 'a list of names, such as ["slack://people", "email://people"]'})
        personal = set(Channel.objects.filter(personal=True).values_list("name", flat=True))
        if unknown := [name for name in names if name not in personal]:
            known = ", ".join(sorted(personal)) or "none yet"
            raise ValidationError({"channels": f"no personal channel {', '.join(unknown)[:200]}; there are: {known}"})
