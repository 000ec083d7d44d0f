from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from notifications.channels.targets import problems


class Channel(models.Model):
    """A way to reach people, made by an administrator. `name` is its handle, as people write it.

    A personal channel takes the address of each person from their contact; the others have one target.
    """

    EMAIL, SLACK, APPRISE, WEBHOOK = "email", "slack", "apprise", "webhook"
    KINDS = [(word, word) for word in (EMAIL, SLACK, APPRISE, WEBHOOK)]

    name = models.CharField(max_length=200, unique=True, help_text="such as slack://deployments or sms://oncall")
    kind = models.CharField(max_length=10, choices=KINDS)
    personal = models.BooleanField(default=False, help_text="goes to each person's own address, from their contact")
    target = models.CharField(
        max_length=1000,
        blank=True,
        default="",
        help_text="email: an address. slack: a channel, such as #deployments. webhook: a URL. apprise: its URL, "
        "with credentials as {secret:NAME}; a personal one has {phone} in it.",
    )
    token = models.CharField(max_length=200, blank=True, default="", help_text="slack: its bot token, as {secret:NAME}")
    enabled = models.BooleanField(default=True)
    last_ok_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=600, blank=True, default="", editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.kind == self.EMAIL and not self.personal and not self.target and "@" in self.name:
            self.target = self.name.partition("://")[2]
        found = problems(name=self.name, kind=self.kind, personal=self.personal, target=self.target, token=self.token)
        if found:
            raise ValidationError(found)
