"""A budget as people write it: an amount, and the currency that was named with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

HOW = "write a number, or one with its currency, such as 10000, '10,000 USD', '$10k' or '2.5k EUR'"
MOST = Decimal(10) ** 12
TOLD_IN = "USD"

_GROUPS = r"\d{1,3}(?:,\d{3})+|\d{1,3}(?:_\d{3})+|\d{1,3}(?:'\d{3})+|\d{1,3}(?: \d{3})+|\d+"
_TEXT = re.compile(
    rf"([$€£]|[A-Z]{{3}})?\s*((?:{_GROUPS})(?:\.\d{{1,4}})?)\s*([KM])?\s*([$€£]|[A-Z]{{3}}|DOLLARS|EUROS?)?"
)
_EITHER = re.compile(r"[1-9]\d{0,2}\.\d{3}")
"""Five in one country, five thousand in another."""
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "DOLLARS": "USD", "EURO": "EUR", "EUROS": "EUR"}
_TIMES = {"": 1, "K": 1000, "M": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """`currency`: '' where none was named."""

    value: Decimal
    currency: str = ""


def amount_of(given: object) -> Amount:
    """The amount that a number or a text such as '$10,000' or '10k EUR' means.

    Raises:
        ValueError: it is no amount; the text says what is wrong.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise ValueError("is no amount of money")
    if isinstance(given, str):
        return _of_text(given.strip().upper()[:100])
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("is no amount of money")
    return Amount(value=_within(Decimal(str(given))))


def _of_text(text: str) -> Amount:
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("is no amount of money")
    before, digits, times, after = (part or "" for part in found.groups())
    if before and after and _SIGNS.get(before, before) != _SIGNS.get(after, after):
        raise ValueError("names two currencies")
    if _EITHER.fullmatch(digits):
        raise ValueError("can be read in two ways")
    try:
        number = Decimal(re.sub(r"[,_' ]", "", digits)) * _TIMES[times]
    except InvalidOperation:
        raise ValueError("is no amount of money") from None
    named = before or after
    return Amount(value=_within(number), currency=_SIGNS.get(named, named))


def _within(value: Decimal) -> Decimal:
    if not 0 < value <= MOST:
        raise ValueError("is not above 0" if value <= 0 else "is more than a budget can be")
    return value


def warnings_of(given: Iterable[Amount | None]) -> list[str]:
    """What is probably not meant: agents and lists of prices tell costs in US dollars, and nothing is converted."""
    others = dict.fromkeys(one.currency for one in given if one is not None and one.currency not in ("", TOLD_IN))
    return [
        f"a budget is given in {name}, and agents tell their costs in {TOLD_IN}: the numbers are compared as they are"
        for name in others
    ]
