"""Words that a caller may ask for, checked before a query answers that there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.errors import BadInput
from orchestration.core.likeness import nearest


def check(field: str, given: str, known: Sequence[str]) -> None:
    """Raise BadInput for a word that is none of the known ones; '' is none given."""
    if given and given not in known:
        close = nearest(given, known)
        told = f"did you mean '{close}'? " if close else ""
        raise BadInput(f"{field} is {given[:80]!r}", field=field, remedy=f"{told}one of: {', '.join(known)}")
