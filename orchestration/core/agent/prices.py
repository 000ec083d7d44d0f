"""What the tokens of a session cost, in exact decimals: never a float, never rounded down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, InvalidOperation

PER = Decimal(1_000_000)
"""Prices are per so many tokens."""
MOST = Decimal(1_000_000)
PLACES = Decimal("0.000001")
"""The smallest part of a cost that is kept: a millionth."""
KINDS = ("input", "output", "cached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of a million tokens. `cached`: of input that the model's cache had; as other input where none is given."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal:
        """The cost of a session, to the millionth, rounded up. `cached_tokens` are among `input_tokens`."""
        cached = min(max(cached_tokens, 0), max(input_tokens, 0))
        fresh = max(input_tokens, 0) - cached
        total = fresh * self.input + cached * (self.input if self.cached is None else self.cached)
        total += max(output_tokens, 0) * self.output
        return (total / PER).quantize(PLACES, rounding=ROUND_UP)


def money(value: object) -> Decimal:
    """An amount of money from what was written: "12.50", 12.5, 12.

    Raises ValueError, whose text goes on the sentence "'x' …": for what is no number, is below 0 or above a million.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("is not an amount of money; write a number, such as 12.50")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("is not an amount of money; write a number, such as 12.50") from None
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise ValueError("is not an amount from 0 to 1000000; write a number, such as 12.50")
    return amount


def prices(given: Mapping[str, object]) -> Prices | None:
    """The prices of {"input": "3", "output": "15", "cached": "0.30"}; None for an empty mapping.

    Raises ValueError, in a whole sentence.
    """
    if not given:
        return None
    unknown = sorted(set(given) - set(KINDS))
    if unknown:
        raise ValueError(f"'{unknown[0]}' has no price; the kinds of tokens are: {', '.join(KINDS)}")
    found = {}
    for kind, value in given.items():
        try:
            found[kind] = money(value)
        except ValueError as error:
            raise ValueError(f"the price of {kind} tokens, '{value}', {error}") from None
    if "input" not in found or "output" not in found:
        raise ValueError("a price is missing; give input and output, per million tokens")
    return Prices(**found)
