"""Public holidays of a country or one of its parts, from the library that keeps them."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import holidays

from orchestration.errors import BadInput

YEARS = 3
"""From the year of a request on: longer than any of its clocks."""


def holidays_of(region: str, at: datetime) -> frozenset[date]:
    """`region`: such as DE, DE-BE or US-CA; '' has none. Raises BadInput for one that the library does not know."""
    return _holidays(region, at.year) if region else frozenset()


@lru_cache(maxsize=64)
def _holidays(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=range(year, year + YEARS))
    except NotImplementedError:
        raise BadInput(
            f"there are no holidays for '{region}'", field="hours.holidays", remedy="a country and part, such as DE-BE"
        ) from None
    return frozenset(found)
