"""Public holidays of a country or one of its parts, from the library that keeps them."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

import holidays

from orchestration.clock import now
from orchestration.core.definition.problems import did_you_mean
from orchestration.errors import BadInput

CODE = re.compile(r"[A-Z]{2,3}")
"""The library also takes the names of its own classes."""
YEARS = 3
"""From the year of a request on: longer than any of its clocks."""


def holidays_of(region: str, at: datetime) -> frozenset[date]:
    """`region`: such as DE, DE-BE or US-CA; '' has none. Raises BadInput for one that the library does not know."""
    return _holidays(region, at.year) if region else frozenset()


def check_region(region: str) -> None:
    """Raises BadInput for one that the library does not know: else every request would be refused for it."""
    country, dash, part = region.partition("-")
    if region and (not CODE.fullmatch(country) or (dash and not part)):
        raise _unknown(region)
    holidays_of(region, now())


@lru_cache(maxsize=64)
def _holidays(region: str, year: int) -> frozenset[date]:
    country, _, part = region.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=range(year, year + YEARS))
    except NotImplementedError:
        raise _unknown(region) from None
    return frozenset(found)


def _unknown(region: str) -> BadInput:
    country, _, part = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    parts = known.get(country, [])
    remedy = did_you_mean(part, parts, f"the parts of {country} are") or "a country and part, such as DE-BE or US"
    return BadInput(f"there are no holidays for '{region}'", field="hours.holidays", remedy=remedy)
