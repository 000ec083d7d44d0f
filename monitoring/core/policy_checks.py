"""Checks of the fields of a recovery policy: each returns the value as it is kept, or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from foundation.errors import BadInput
from monitoring.core.conditions.vocabulary import KINDS
from monitoring.core.enums import RecoveryAction
from orchestration.core.likeness import nearest

POLICY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
SAGA = re.compile(r"saga:[A-Za-z0-9][A-Za-z0-9_.:~-]{0,99}")
MOST_LISTED, LONGEST = 20, 200

TELLING = (RecoveryAction.NOTIFY, RecoveryAction.ESCALATE)
"""Actions that tell somebody; the others act on the run."""

BOUNDS: Mapping[str, tuple[int, int, str]] = {
    "max_recovery_attempts": (1, 20, "attempts of a run"),
    "priority": (0, 10_000, "the lowest goes first"),
    "hold_off_seconds": (0, 7 * 86_400, "seconds that a run has to match for before anything is done"),
    "cooldown_seconds": (1, 3600, "seconds after the first attempt; three times as many after each further one"),
    "max_per_hour": (1, 10_000, "attempts an hour of this policy"),
    "verify_seconds": (10, 86_400, "seconds within which an attempt has to show that it worked"),
}
"""Whole numbers: the least, the most, and what it is."""


def policy_id(value: object) -> str:
    """Letters, digits and _ . - ; it is part of addresses."""
    if not isinstance(value, str) or not POLICY_ID.fullmatch(value):
        raise _bad("policy_id", value, "letters, digits and _ . -, at most 60, beginning with a letter or digit")
    return value


def text(field: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise _bad(field, value, f"a text of 1 to {LONGEST} characters")
    return value.strip()


def number(field: str, value: object) -> int:
    """A whole number within its bounds."""
    least, most, what = BOUNDS[field]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _bad(field, value, f"a whole number of {least} to {most:,}: {what}")
    return value


def flag(field: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _bad(field, value, "true or false")
    return value


def one_of(field: str, value: object, known: Iterable[str]) -> str:
    """One of these words."""
    words = [str(one) for one in known]
    if not isinstance(value, str) or value not in words:
        close = nearest(value, words) if isinstance(value, str) else ""
        raise _bad(field, value, (f"did you mean '{close}'? " if close else "") + f"one of: {', '.join(words)}")
    return str(value)


def listed(field: str, value: object, *, least: int = 0) -> tuple[str, ...]:
    """A list of texts, none of them twice."""
    given = [] if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) else list(value)
    fits = all(isinstance(one, str) and 1 <= len(one) <= LONGEST for one in given)
    if isinstance(value, str) or not isinstance(value, Iterable) or not fits or not least <= len(given) <= MOST_LISTED:
        raise _bad(field, value, f"a list of {least} to {MOST_LISTED} texts")
    return tuple(dict.fromkeys(given))


def workflow_types(value: object) -> tuple[str, ...]:
    """Kinds of runs, `saga:<id>` or `*`."""
    found = listed("workflow_types", value, least=1)
    for one in found:
        if one not in KINDS and one != "*" and not SAGA.fullmatch(one):
            close = nearest(one, (*KINDS, "saga:"))
            told = f"did you mean '{close}'? " if close else ""
            raise _bad("workflow_types", one, f"{told}one of: {', '.join(KINDS)}, saga:<saga_id>, or * for all")
    return found


def actions(field: str, value: object, *, least: int = 0) -> tuple[RecoveryAction, ...]:
    """Actions by their words, in lower case."""
    return tuple(RecoveryAction(one_of(field, one, RecoveryAction)) for one in listed(field, value, least=least))


def check_budget(given: tuple[RecoveryAction, ...], most: int) -> None:
    """Refuse more actions that act on a run than it may have attempts. Raises BadInput."""
    acting = [action for action in given if action not in TELLING]
    if len(acting) > most:
        told = ", ".join(action.value for action in acting)
        raise BadInput(
            f"{len(acting)} actions act on a run ({told}), and it may have {most} attempts",
            field="max_recovery_attempts", value=str(most), remedy=f"give {len(acting)} or more, or fewer actions",
        )  # fmt: skip


def _bad(field: str, value: object, remedy: str) -> BadInput:
    shown = repr(value)[:80]
    return BadInput(f"{field} is {shown}", field=field, value=shown, remedy=remedy)
