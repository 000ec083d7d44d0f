"""The problems of a definition, in words by which its author can correct it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pydantic_core import ErrorDetails

from orchestration.core.likeness import nearest

LONGEST_VALUE = 80
MOST_PROBLEMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`step`: its id, `steps[3]` without one, '' for the saga itself. `field`: dotted, as in `forward_action.url`.

    `value` is the offending value as JSON or text, shortened; '' where something is missing.
    """

    step: str
    field: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.step and f"step '{self.step}'", self.field) if part)
        value = f" (got {self.value})" if self.value else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{where or 'definition'}: {self.message}{value}{remedy}"


class DefinitionErrors(ValueError):
    """Every problem that was found in a definition."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keeps the first 200; one more says how many are left out."""
        more = len(problems) - MOST_PROBLEMS
        self.problems = (*problems[:MOST_PROBLEMS], *([_and_more(more)] if more > 0 else []))
        super().__init__("\n".join(map(str, self.problems)))

    def as_dicts(self) -> list[dict[str, object]]:
        return [asdict(problem) for problem in self.problems]


def _and_more(count: int) -> Problem:
    return Problem(step="", field="", value="", message=f"has {count} more problems", remedy="mend these first")


def is_echo(detail: ErrorDetails) -> bool:
    """pydantic calls a list too short as well where it is long enough, and what is wrong are its items."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail.get("ctx", {}).get("min_length", 1)


def short(value: object) -> str:
    """A value for people, at most 80 characters."""
    text = value if isinstance(value, str) else repr(value)
    quoted = repr(text[: LONGEST_VALUE + 1]) if isinstance(value, str) else text
    return quoted if len(quoted) <= LONGEST_VALUE else f"{quoted[: LONGEST_VALUE - 1]}…"


def did_you_mean(name: object, known: Sequence[str], what: str) -> str:
    """A remedy: the nearest known word, or the words there are (at most 20, each cut to 80 characters)."""
    near = nearest(name, known)
    if near:
        return f"did you mean '{near}'?"
    more = ", …" if len(known) > 20 else ""
    return f"{what}: {', '.join(word[:LONGEST_VALUE] for word in known[:20])}{more}" if known else ""
