"""What proves a success criterion: its own check, one that its words ask for, or people.

"Test coverage >= 85%" and "tests pass" are proved by the repository's own test command, where it has one. A sentence
that no command proves is put to people, and never counts as proved by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from orchestration.core.project.spec import Criterion, ProjectSpec

_PERCENT = r"(>=|=>|≥|>|at least|over|above|minimum|min\.?|of)?\s*(\d{1,3}(?:\.\d+)?)\s*(?:%|percent)"
_COVERAGE = (
    re.compile(rf"\bcover(?:age|ed)\b[^.;%]{{0,40}}?{_PERCENT}"),
    re.compile(rf"{_PERCENT}[^.;%]{{0,40}}?\bcover(?:age|ed)\b"),
)
_STRICT = frozenset({">", "over", "above"})
_TESTS_PASS = re.compile(
    r"\b(?:all |unit |integration |automated |the )*tests?\b(?: suites?)?(?: (?:are|is|must|should|all))* "
    r"(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?)\b"
)


class CriterionStatus(StrEnum):
    """`open`: nothing is known yet. `proved`: its check held on the merged head. `unproved`: it did not, or there is
    none. `accepted`: a named person took it as met."""

    OPEN = "open"
    PROVED = "proved"
    UNPROVED = "unproved"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the words of a criterion ask of the repository's tests. `coverage`: per cent; None for none.

    `is_strict`: more than that, and not as much.
    """

    passing: bool
    coverage: float | None = None
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCriterion:
    """`criterion_id`: C1, C2 … in the order of the spec. `command` and `api_call`: its check; both empty for none."""

    criterion_id: str
    text: str
    kind: str
    command: str
    api_call: Mapping[str, JsonValue] | None
    wanted: Wanted | None


def criteria_of(spec: ProjectSpec) -> tuple[LedgerCriterion, ...]:
    """The criteria of a valid spec as C1, C2 …, with the checks that they bring themselves."""
    return tuple(_criterion(number, one) for number, one in enumerate(spec.success_criteria, 1))


def _criterion(number: int, given: Criterion) -> LedgerCriterion:
    check = given.check
    call = check.get("api_call") if isinstance(check, Mapping) else None
    return LedgerCriterion(
        criterion_id=f"C{number}",
        text=given.text.strip(),
        kind=given.kind,
        command=check if isinstance(check, str) else "",
        api_call=call if isinstance(call, Mapping) else None,
        wanted=wanted_by(given.text) if check is None else None,
    )


def wanted_by(text: str) -> Wanted | None:
    """What a sentence asks of the repository's tests; None where it says nothing about them.

    A sentence that asks for more than tests can show ("all features functional") is none of those.
    """
    low = re.sub(r"\s+", " ", text.casefold())
    found = next((match for pattern in _COVERAGE if (match := pattern.search(low))), None)
    if found is not None and float(found.group(2)) <= 100:
        sign = (found.group(1) or "").strip()
        return Wanted(passing=True, coverage=float(found.group(2)), is_strict=sign in _STRICT)
    return Wanted(passing=True) if _TESTS_PASS.search(low) else None
