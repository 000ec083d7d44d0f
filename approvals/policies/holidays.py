"""Public holidays of a country or one of its parts, from the library that keeps them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import holidays

from approvals.core.policy.chain import years_of
from approvals.core.policy.definition import PolicyDefinition
from approvals.core.policy.hours import span_of
from foundation.clock import now
from foundation.errors import BadInput
from orchestration.core.definition.problems import did_you_mean

CODE = re.compile(r"[A-Z]{2,3}")
"""The library also takes the names of its own classes."""
DAY = timedelta(days=1)
LANGUAGE = "en_US"
"""Of the names, by which estimated days are known: without it they are in that of the process's environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """`days`: the holidays of the years that were asked for. `until`: the last year that the library has. `said`: what
    it says of how sure it is.
    """

    days: frozenset[date]
    until: int
    said: tuple[str, ...] = ()


def holidays_of(policy: PolicyDefinition, at: datetime) -> frozenset[date]:
    """The holidays that the policy's time limits can reach for a request that is opened `at` (aware).

    Raises:
        BadInput: the policy's region is unknown.
    """
    region = policy.hours.holidays
    return _of(policy, region, at).days if region else frozenset()


def unsure_of(policy: PolicyDefinition, at: datetime) -> list[str]:
    """Warnings about holidays in those years that the library cannot know yet."""
    region = policy.hours.holidays
    if not region or not any(span_of(text).business for stage in policy.stages for text in stage.spans()):
        return []
    found, last = _of(policy, region, at), (at - DAY).year + years_of(policy)
    ends = f"holidays of {region} are known until {found.until}; clocks that reach {last} take later ones for workdays"
    return [*([ends] if found.until < last else []), *(f"holidays of {region}: {said}" for said in found.said)]


def check_region(region: str) -> None:
    """Raises BadInput for a region that the library does not know."""
    country, dash, part = region.partition("-")
    if region and (not CODE.fullmatch(country) or (dash and not part)):
        raise _unknown(region)
    if region:
        _calendar(region, now().year, 1)


def _of(policy: PolicyDefinition, region: str, at: datetime) -> Calendar:
    """From the day before: it may still be the old year where the policy's clocks hang."""
    return _calendar(region, (at - DAY).year, years_of(policy) + 1)


@lru_cache(maxsize=64)
def _calendar(region: str, year: int, years: int) -> Calendar:
    country, _, part = region.partition("-")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = holidays.country_holidays(
                country, subdiv=part or None, years=range(year, year + years), language=LANGUAGE
            )
        except NotImplementedError:
            raise _unknown(region) from None
    told = dict.fromkeys(str(one.message) for one in said)
    unsure = [f"those of {min(guessed)} and later are in part estimated"] if (guessed := _estimated(found)) else []
    return Calendar(days=frozenset(found), until=found.end_year, said=(*told, *unsure))


def _estimated(found: holidays.HolidayBase) -> list[int]:
    """Years with holidays that depend on the sight of the moon, as the library marks them."""
    return [day.year for day, name in found.items() if "estimated" in name]


def _unknown(region: str) -> BadInput:
    country, _, part = region.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    parts = known.get(country, [])
    remedy = did_you_mean(part, parts, f"the parts of {country} are") or "a country and part, such as DE-BE or US"
    return BadInput(f"there are no holidays for '{region}'", field="hours.holidays", remedy=remedy)
