"""Sends an envelope through the sender of its kind. Raises nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from foundation.guarded import guarded
from foundation.secrets.redaction import redact
from foundation.secrets.store import MissingSecret, resolve
from foundation.visible_text import cut
from notifications.channels import apprise, email, slack, webhook
from notifications.channels.envelope import Envelope, Outcome

log = logging.getLogger(__name__)

SENDERS: dict[str, Callable[[Envelope], Outcome]] = {
    "email": email.send,
    "slack": slack.send,
    "apprise": apprise.send,
    "webhook": webhook.send,
}
LONGEST_ERROR = 500


def send(kind: str, parcel: Envelope) -> Outcome:
    """Secrets are filled in here, and taken out of what comes back."""
    try:
        target, token = resolve(parcel.target), resolve(parcel.token)
    except MissingSecret as error:
        return Outcome(error=_clean(str(error)), permanent=True)
    filled = replace(parcel, target=target, token=token)
    outcome = guarded(lambda: SENDERS[kind](filled), partial(_broken, parcel))
    return replace(outcome, error=_clean(outcome.error))


def _broken(parcel: Envelope, error: Exception) -> Outcome:
    """An envelope that breaks its sender is tried again, and dead in the end. No traceback: it would show secrets."""
    outcome = broken(error)
    log.warning("sending delivery %s broke: %s", parcel.id, outcome.error)
    return outcome


def broken(error: Exception) -> Outcome:
    """What comes of an attempt that a bug of ours ended: another one is made."""
    return Outcome(error=_clean(f"{type(error).__name__}: {error}"))


def _clean(text: str) -> str:
    """Redacted before it is cut: half a secret is not recognised. PostgreSQL keeps no NUL."""
    return cut(redact(text).replace("\0", ""), LONGEST_ERROR)
