"""Send a parcel through the sender of its kind. Raises nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from notifications import ports
from notifications.senders import apprise, email, slack, webhook
from notifications.senders.parcel import Outcome, Parcel
from notifications.text import cut

log = logging.getLogger(__name__)

SENDERS: dict[str, Callable[[Parcel], Outcome]] = {
    "email": email.send,
    "slack": slack.send,
    "apprise": apprise.send,
    "webhook": webhook.send,
}
LONGEST_ERROR = 500


def send(kind: str, parcel: Parcel) -> Outcome:
    """Secrets are filled in here, and taken out of what comes back."""
    try:
        target, token = ports.resolve(parcel.target), ports.resolve(parcel.token)
    except Exception as error:  # noqa: BLE001 - the resolver is another room's, and so are its errors
        return Outcome(error=_clean(str(error)), permanent=True)
    try:
        outcome = SENDERS[kind](replace(parcel, target=target, token=token))
    except Exception as error:  # noqa: BLE001 - a parcel that breaks its sender is tried again, and dead in the end
        log.warning("sending delivery %s broke: %s", parcel.id, _clean(f"{type(error).__name__}: {error}"))
        outcome = Outcome(error=f"{type(error).__name__}: {error}")
    return replace(outcome, error=_clean(outcome.error))


def _clean(text: str) -> str:
    """Redacted before it is cut: half a secret is not recognised. PostgreSQL keeps no NUL."""
    return cut(ports.redact(text).replace("\0", ""), LONGEST_ERROR)
