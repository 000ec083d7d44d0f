"""A policy as its owner writes it. `chain.py` turns it into a plan once the people are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from approvals.core.enums import AtTheEnd, Authority, Mode
from approvals.core.policy.form import FormField, Word, repeated
from approvals.core.policy.hours import EXAMPLE, Hours, span_of

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARS, WEEKS = 5, 52
"""No clock of working time is longer: in rare hours it would end after all of us."""

MOST_APPROVALS = 1000
MOST_FIELDS = 150
"""Of a form: as many as a project has criteria, and the checks besides."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:00)?")  # with seconds as it is stored
_PERCENT = re.compile(r"(\d{1,3})%")


def _is_span(text: str | float) -> str | float:
    span_of(text)
    return text


SpanText = Annotated[str | float, AfterValidator(_is_span)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Who(_Strict):
    """Accounts by user name or e-mail address, and groups. `on_call`: a look-up that the site has set up."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    on_call: str = ""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.users or self.groups or self.emails or self.on_call):
            raise ValueError("names nobody; give users, groups, emails or on_call")
        return self


class Escalation(_Strict):
    after: SpanText
    to: Who
    authority: Authority = Authority.ADD


class Stage(_Strict):
    """`how_many`: any, all, a number, a share such as 60%, or a number for each of several groups."""

    name: str = Field(pattern=f"^{NAME}$")
    who: Who
    how_many: Literal["any", "all"] | int | str | dict[str, int] = "any"
    reject_on: Literal["first", "impossible"] = "first"
    remind: tuple[SpanText, ...] = Field(default=(), max_length=20)
    escalate: tuple[Escalation, ...] = Field(default=(), max_length=10)
    expire: SpanText | None = "7d"
    latest: SpanText | None = None
    at_the_end: AtTheEnd = AtTheEnd.REJECT
    must_comment_on: tuple[Word, ...] = ("reject",)
    form: tuple[FormField, ...] = Field(default=(), max_length=MOST_FIELDS)
    editable: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    clock_starts: Literal["opened", "delivered"] = "opened"

    @field_validator("how_many")
    @classmethod
    def _known(cls, value: Any) -> Any:
        _mode_of(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.latest is not None and (self.expire is None or span_of(self.latest).business):
            raise ValueError(f"latest is an end in wall time beside that of expire, {EXAMPLE.partition(' or')[0]}")
        if self.expire is None and self.at_the_end is not AtTheEnd.HOLD:
            raise ValueError(f"expire is missing; give a length of time ({EXAMPLE}), or at_the_end: hold")
        if twice := repeated(field.name for field in self.form):
            raise ValueError(f"two fields of its form are called {twice}")
        wanted = set(self.how_many) if isinstance(self.how_many, dict) else set()
        if wanted - set(self.who.groups):
            raise ValueError(
                f"how_many names {', '.join(sorted(wanted - set(self.who.groups)))}, not one of its groups"
            )
        return self

    def spans(self) -> Iterator[str | float]:
        """Its lengths of time, as they are written."""
        yield from self.remind
        yield from (level.after for level in self.escalate)
        yield from (text for text in (self.expire, self.latest) if text is not None)

    def asked_with(self, word: str) -> tuple[FormField, ...]:
        """The fields of its form that this decision has to fill."""
        return tuple(field for field in self.form if word in field.on)

    def chain(self) -> dict[str, Any]:
        """The fields of a StagePlan that do not depend on people."""
        mode, number, percent, minima = _mode_of(self.how_many)
        return {"mode": mode, "number": number, "percent": percent, "minima": minima}


class WorkingHours(_Strict):
    """`holidays`: a country, and a subdivision where there are some, such as DE-BE or US-CA."""

    zone: str = "UTC"
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = time(9)
    closes: time = time(17)
    holidays: str = ""

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _clock(cls, value: Any) -> Any:
        """YAML reads 09:00 as text and 9 as a number, which could be hours or seconds."""
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise ValueError(f"{value!r} is not a time of the day, such as '09:00'")
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone, such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _day(self) -> Self:
        if not self.days or self.opens >= self.closes:
            raise ValueError("no working time is left; opens must be before closes, on at least one day")
        return self

    def hours(self, holidays: frozenset[Any] = frozenset()) -> Hours:
        days = frozenset(DAYS.index(day) for day in self.days)
        return Hours(zone=self.zone, days=days, opens=self.opens, closes=self.closes, holidays=holidays)


class PolicyDefinition(_Strict):
    """`auto_approve`: a CEL condition over `request`; the policy owns it, so no requester can bring one."""

    policy: str = Field(pattern=f"^{NAME}$")
    description: str = Field(default="", max_length=2000)
    stages: tuple[Stage, ...] = Field(min_length=1, max_length=20)
    hours: WorkingHours = WorkingHours()
    cooling_off: SpanText | None = None
    auto_approve: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _names(self) -> Self:
        if twice := repeated(stage.name for stage in self.stages):
            raise ValueError(f"two stages are called {twice}")
        return self

    @model_validator(mode="after")
    def _clocks(self) -> Self:
        hours = self.hours.hours()
        most = YEARS * WEEKS * len(hours.days) * hours.day_seconds
        for stage in self.stages:
            for text in stage.spans():
                span = span_of(text, hours)
                if span.business and span.seconds > most:
                    raise ValueError(f"{text!r} of stage {stage.name} is more than {YEARS} years of these hours")
        return self

    def content(self) -> dict[str, Any]:
        """As plain JSON; a default that is written out is the same as one left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def everybody(self) -> Iterator[Who]:
        for stage in self.stages:
            yield stage.who
            yield from (level.to for level in stage.escalate)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_APPROVALS


def _mode_of(value: Any) -> tuple[Mode, int, int, dict[str, int]]:
    if value in ("any", "all"):
        return Mode(value), 1, 100, {}
    if isinstance(value, dict) and value and all(_is_number(n) for n in value.values()):
        return Mode.GROUPS, 1, 100, value
    if _is_number(value):
        return Mode.N, value, 100, {}
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found and 1 <= int(found[1]) <= 100:
        return Mode.PERCENT, 1, int(found[1]), {}
    raise ValueError(
        f"{value!r} is not how many; give any, all, a number from 1 to {MOST_APPROVALS}, a share such as 60%, or "
        "numbers of groups"
    )
