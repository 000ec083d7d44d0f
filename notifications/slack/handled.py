"""What the handler of ZEN_INTERACTION_HANDLER says of a press; where it breaks, what the person is told instead.

A handler that is not there, or does not answer as its port says, is a bug like any other: it is logged, and whoever
pressed hears of it. What the database does not do passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from foundation.db.outages import AWAY
from foundation.guarded import guarded
from notifications.models import Press
from notifications.ports import interaction_handler
from notifications.slack.modal import opened

log = logging.getLogger(__name__)
Told = TypeVar("Told")
Instead = TypeVar("Instead")

BROKEN = (
    "Nothing is decided: an error occurred; the log of this site has the details. "
    "Decide on the request's page, which the message leads to."
)
UNKNOWN = (
    "It is not known what came of this: an error occurred; the log of this site has the details. "
    "The request's page, which the message leads to, shows what is decided."
)


def answer_of(press: Press) -> str:
    """Have it done; what to tell the person.

    Raises:
        OperationalError, InterfaceError: the database did not do its part; it is tried again.
    """
    said = _guarded(lambda: interaction_handler().answer(press), press, BROKEN)
    if isinstance(said, str) and said and is_kept(said):
        return said
    log.error("press %s: what the handler answers cannot be told: %.100r", press.key, said)
    return UNKNOWN


def problems_of(press: Press) -> dict[str, str]:
    """By block of a window: what can be mended. A handler that breaks here is met again when the press is done."""
    return _guarded(lambda: dict(interaction_handler().problems(press)), press, {})


def window_for(press: Press, trigger: str) -> str | None:
    """Open the window that it takes: '' when it is open, otherwise what to tell; None when it takes none."""

    def asked() -> str | None:
        modal = interaction_handler().modal(press)
        return None if modal is None else opened(modal, press, trigger)

    return _guarded(asked, press, BROKEN)


def is_kept(text: str) -> bool:
    """Whether every database keeps the text: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _guarded(do: Callable[[], Told], press: Press, instead: Instead) -> Told | Instead:
    return guarded(do, partial(_broken, press, instead))


def _broken(press: Press, instead: Instead, error: Exception) -> Instead:
    if isinstance(error, AWAY):
        raise error
    log.error("press %s could not be done", press.key, exc_info=error)
    return instead
