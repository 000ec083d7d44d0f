"""Ports: functions of apps that this one may not import, named by settings (see `foundation.ports`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from foundation.ports import named
from notifications.message import DeliveryEnded
from notifications.models import Press


class LinkSigner(Protocol):
    """What completes the address in a message when it is sent. The setting ZEN_LINK_SIGNER names one."""

    def __call__(self, url: str) -> str:
        """The address with what no row may hold, such as a token.

        An address that is not the signer's comes back unchanged.
        """


class DeliveryListener(Protocol):
    """What is told how a delivery ended. The setting ZEN_DELIVERY_LISTENERS names any number."""

    def __call__(self, ended: DeliveryEnded) -> None:
        """Called after the delivery's row is stored; may be called more than once for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modal:
    """A window of Slack's. `subject`: the app that told of it opens the window; `blocks`: in Slack's form, inputs as
    `notifications.slack.modal` names them; `instead`: what the person can do where it does not open.
    """

    subject: str
    title: str
    blocks: Sequence[Mapping[str, Any]]
    instead: str


class InteractionHandler(Protocol):
    """What a press in Slack means. The setting ZEN_INTERACTION_HANDLER names one."""

    def modal(self, press: Press) -> Modal | None:
        """The window for what the button alone does not say; None where it says all. `press` is not stored yet."""

    def problems(self, press: Press) -> dict[str, str]:
        """By block of the window that this comes from: what whoever wrote it can mend before it is taken."""

    def answer(self, press: Press) -> str:
        """Do what it means, and say how that went, for the person alone. May be called again for one.

        What it raises of the database's is tried again; after any other error nothing may be done.
        """


def interaction_handler() -> InteractionHandler:
    """Who says what a press means, as the setting ZEN_INTERACTION_HANDLER names it."""
    found: InteractionHandler = named(settings.ZEN_INTERACTION_HANDLER)
    return found


def as_sent(url: str) -> str:
    """The address as it is sent, by the signer that ZEN_LINK_SIGNER names."""
    signer: LinkSigner = named(settings.ZEN_LINK_SIGNER)
    return signer(url)


def listeners() -> list[DeliveryListener]:
    """The listeners that ZEN_DELIVERY_LISTENERS names."""
    return [named(path) for path in settings.ZEN_DELIVERY_LISTENERS]
