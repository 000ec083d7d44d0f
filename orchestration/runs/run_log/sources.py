"""The rows that a run's log is made of, by source. Their numbers rise in the order in which they are written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from foundation.clock import iso, now
from foundation.models import AuditEvent
from orchestration.attempt_log.printed import STDERR, STDOUT
from orchestration.models import Command, Event, Run, RunLine
from orchestration.runs.attempts import Name, agents_of, sessions_of
from orchestration.runs.run_log.sentences import ATTEMPT, level_of, of_audit, of_event

PAGE = 1000
AGENT = "agent"
"""The logger of what is of an agent's attempt (execution/agent_step/record.py)."""
LATE = timedelta(seconds=10)
"""By then the lines of an attempt that has ended are written, if it has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`step_id`: only of this step, '' for all. `level`: from this one on, as of Python's logging."""

    step_id: str = ""
    level: int = 0


class Found(NamedTuple):
    """An entry as the doors show it, its number in its source, its time and its level."""

    number: int
    at: datetime
    level: int
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`rows`: those of a run. `number`: the column that numbers them. `found`: what rows say."""

    rows: Callable[[Run, Asked], QuerySet[Any]]
    number: str
    found: Callable[[Run, Sequence[Any]], Iterable[Found]]

    def after(self, run: Run, number: int, most: int, asked: Asked) -> list[Found]:
        """At most so many entries behind this number, in order."""
        found: list[Found] = []
        while len(found) < most:
            rows = self.rows(run, asked).filter(**{f"{self.number}__gt": number}).order_by(self.number)
            page = list(rows[:PAGE])
            found += self._wanted(run, page, asked)
            if len(page) < PAGE:
                break
            number = getattr(page[-1], self.number)
        return found[:most]

    def latest(self, run: Run, most: int) -> list[Found]:
        """The last so many, in order."""
        asked = Asked()
        return self._wanted(run, list(self.rows(run, asked).order_by(f"-{self.number}")[:most])[::-1], asked)

    def last(self, run: Run) -> int:
        """The number of the last one; 0 when there is none."""
        rows = self.rows(run, Asked()).order_by(f"-{self.number}")
        return int(rows.values_list(self.number, flat=True).first() or 0)

    def _wanted(self, run: Run, page: Sequence[Any], asked: Asked) -> list[Found]:
        found = self.found(run, page)
        return [one for one in found if one.level >= asked.level and asked.step_id in ("", one.entry["step_id"])]


def _events(run: Run, asked: Asked) -> QuerySet[Event]:
    return run.events.filter(step_id=asked.step_id) if asked.step_id else run.events.all()


def _lines(run: Run, asked: Asked) -> QuerySet[RunLine]:
    found = run.lines.filter(level__gte=asked.level) if asked.level else run.lines.all()
    return found.filter(step_id=asked.step_id) if asked.step_id else found


def _audit(run: Run, asked: Asked) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(workflow_id=run.workflow_id)


def _of_events(run: Run, page: Sequence[Event]) -> Iterable[Found]:
    names = {event.pk: _name_in(event) for event in page}
    attempts = _attempts(run, [name for name in names.values() if name], with_texts=True)
    sessions, agents = sessions_of(run, [name for name in names.values() if name]), agents_of(run)
    for event in page:
        name, level = names[event.pk], level_of(event.kind, event.data)
        session = sessions.get(name) if name else None
        attempt = attempts.get(name, {}) if name else {}
        of_agent = event.step_id in agents
        data = {**event.data, **attempt.get("data", {})} if event.kind.endswith(".attempt_ended") else event.data
        yield _found(
            event.seq, event.at, level, source="attempt" if name else "event", step_id=event.step_id,
            attempt=event.data.get("attempt"), worker=attempt.get("worker"),
            session=session,
            message=of_event(event.kind, event.step_id, event.data, session, of_agent=of_agent),
            data={"kind": event.kind, **data, **({"logger": AGENT} if of_agent else {})},
        )  # fmt: skip


def _of_lines(run: Run, page: Sequence[RunLine]) -> Iterable[Found]:
    attempts = _attempts(run, [_name_of(line) for line in page])
    sessions = sessions_of(run, [_name_of(line) for line in page if line.logger == AGENT])
    for line in page:
        data: dict[str, Any] = {"logger": line.logger, "purpose": line.purpose}
        if line.iteration > 1:
            data["iteration"] = line.iteration
        yield _found(
            line.pk, line.at, line.level, source="line", step_id=line.step_id, attempt=line.attempt or None,
            session=sessions.get(_name_of(line)),
            worker=attempts.get(_name_of(line), {}).get("worker"), message=line.text, data=data, trace_id=line.trace_id,
        )  # fmt: skip


def _of_audit(run: Run, page: Sequence[AuditEvent]) -> Iterable[Found]:
    for row in page:
        answer = {"answer": row.data["answer"]} if row.data.get("answer") else {}
        data = {"actor": row.actor, "source": row.door, "action": row.action, **answer}
        step_id = str(row.data.get("step_id") or "")
        yield _found(row.seq, row.at, logging.INFO, source="audit", step_id=step_id, message=of_audit(row), data=data)


SOURCES: tuple[Source, ...] = (
    Source(rows=_events, number="seq", found=_of_events),
    Source(rows=_lines, number="id", found=_of_lines),
    Source(rows=_audit, number="seq", found=_of_audit),
)
"""In the order of the numbers in a cursor. Another one is added at the end."""


def _found(
    number: int, at: datetime, level: int, *, source: str, step_id: str, message: str, data: dict[str, Any],
    attempt: int | None = None, session: int | None = None, worker: str | None = None, trace_id: str = "",
) -> Found:  # fmt: skip
    entry = {
        "at": iso(at),
        "seq": "",
        "source": source,
        "level": logging.getLevelName(level),
        "step_id": step_id or None,
        "attempt": attempt,
        "session": session,
        "worker": worker or None,
        "message": message,
        "data": data,
        "trace_id": trace_id or None,
    }
    return Found(number, at, level, entry)


def _name_in(event: Event) -> Name | None:
    about, _, word = event.kind.partition(".")
    if word not in ATTEMPT:
        return None
    purpose = "undo" if about == "undo" else "forward"
    return event.step_id, purpose, int(event.data.get("iteration", 1)), int(event.data.get("attempt", 0))


def _name_of(row: RunLine | Command) -> Name:
    return row.step_id, row.purpose, row.iteration, row.attempt


def _attempts(run: Run, names: Sequence[Name], *, with_texts: bool = False) -> dict[Name, dict[str, Any]]:
    """{"worker": …, "data": {"seconds", "exit_code", "stdout", "stderr"}} of these attempts, as far as it is known.

    `with_texts`: what a script printed, where it has left no lines. Two queries, one for no script, none for no names.
    """
    if not names:
        return {}
    rows = run.commands.filter(
        kind="run_action", step_id__in={name[0] for name in names}, attempt__in={n[3] for n in names}
    )
    found: dict[Name, dict[str, Any]] = {}
    old: list[Name] = []
    columns = ("step_id", "purpose", "iteration", "attempt", "worker", "started_at", "ended_at", "detail__exit_code")
    for *name, worker, began, ended, code in rows.values_list(*columns):
        data: dict[str, Any] = {}
        if began and ended:
            data["seconds"] = round((ended - began).total_seconds(), 3)
        if code is not None:
            data["exit_code"] = code
            if ended and ended < now() - LATE:
                old.append((*name,))
        found[(*name,)] = {"worker": worker, "data": data}
    for name, texts in _texts(run, [name for name in old if name in set(names)] if with_texts else []).items():
        found[name]["data"] |= texts
    return found


def _texts(run: Run, names: Sequence[Name]) -> dict[Name, dict[str, str]]:
    """What these scripts printed, of those that have no lines: runs of before there were lines."""
    if not names:
        return {}
    steps, key = {name[0] for name in names}, ("step_id", "purpose", "iteration", "attempt")
    lines = run.lines.filter(step_id__in=steps, logger__in=(STDOUT, STDERR))
    silent = set(names) - set(lines.order_by().values_list(*key).distinct())
    if not silent:
        return {}
    rows = run.commands.filter(kind="run_action", step_id__in={name[0] for name in silent})
    found: dict[Name, dict[str, str]] = {}
    for *name, out, err in rows.values_list(*key, "output__stdout", "detail__stderr"):
        if (*name,) in silent:
            found[(*name,)] = {
                name: text for name, text in ((STDOUT, out), (STDERR, err)) if isinstance(text, str) and text
            }
    return found
