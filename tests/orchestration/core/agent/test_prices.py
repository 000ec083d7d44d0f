"""Costs are exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration.core.agent.prices import Prices, money, prices


def test_a_cost_is_exact_and_never_rounded_down() -> None:
    asked = Prices(input=Decimal("0.1"), output=Decimal("0.2"))
    assert asked.cost(input_tokens=1_000_000, output_tokens=1_000_000) == Decimal("0.3")
    assert asked.cost(input_tokens=1, output_tokens=0) == Decimal("0.000001")
    assert asked.cost(input_tokens=0, output_tokens=0) == 0


def test_cached_input_has_its_own_price_and_is_counted_once() -> None:
    asked = Prices(input=Decimal(3), output=Decimal(15), cached=Decimal("0.3"))
    assert asked.cost(input_tokens=2_000_000, output_tokens=0, cached_tokens=1_000_000) == Decimal("3.3")
    assert asked.cost(input_tokens=1, output_tokens=0, cached_tokens=5_000_000) == Decimal("0.000001")
    plain = Prices(input=Decimal(3), output=Decimal(15))
    assert plain.cost(input_tokens=1_000_000, output_tokens=0, cached_tokens=1_000_000) == 3


def test_prices_are_read_from_what_an_operator_writes() -> None:
    assert prices({}) is None
    assert prices({"input": "3", "output": 15}) == Prices(input=Decimal(3), output=Decimal(15))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"input": "3"}, "a price is missing"),
        ({"inputs": "3", "output": "1"}, "'inputs' has no price"),
        ({"input": "three", "output": "1"}, "the price of input tokens, 'three', is not an amount of money"),
        ({"input": "-1", "output": "1"}, "from 0 to 1000000"),
        ({"input": "NaN", "output": "1"}, "from 0 to 1000000"),
        ({"input": True, "output": "1"}, "not an amount of money"),
    ],
)
def test_a_wrong_price_is_told(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        prices(given)


def test_money_takes_text_and_numbers() -> None:
    assert money("12.50") == money(12.5) == Decimal("12.5")
