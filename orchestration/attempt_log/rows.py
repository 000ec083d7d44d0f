"""Lines become rows: their secrets are taken out, their run's bound is kept, a repeated write changes nothing."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from foundation import telemetry
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.secrets.redaction import MASK, head, redact
from orchestration.attempt_log.line import LONGEST, AttemptLog, Line, Stream

MOST_OF_A_RUN = 10_000
TAIL = LONGEST
"""Characters of what a stream printed before, in which a secret may have begun."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
COLUMNS = "run_id, step_id, purpose, iteration, attempt, n, at, level, logger, text, trace_id"
NAME = "(run_id, step_id, purpose, iteration, attempt, n)"
LOCK = "run_lines"
"""Held while lines are written, so that their ids rise in the order of the commits: a reader that has seen one id has
seen all below it."""


def write(lines: Sequence[Line]) -> int:
    """Write the lines in a transaction of their own; returns how many were left out, as their runs are full."""
    take_secrets_out(lines)
    dropped: Counter[AttemptLog] = Counter()
    rows: list[tuple[Any, ...]] = []
    full: dict[int, tuple[Any, ...]] = {}
    with statements.writing():
        statements.run(*lock_by_name(LOCK))
        written = _counts({line.log.run_id for line in lines})
        for line in lines:
            text = _left_out(line.log.left_out + dropped[line.log]) if line.is_end else line.text
            if not text:
                continue
            run_id = line.log.run_id
            if written[run_id] >= MOST_OF_A_RUN:
                dropped[line.log] += not line.is_end
                full.setdefault(run_id, _full(line))
                continue
            written[run_id] += 1
            rows.append(_row(line, text))
        kept = [*rows, *full.values()]
        statements.run(*statements.insert("orchestration_runline", COLUMNS, kept, on_conflict=f"{NAME} DO NOTHING"))
    for log, lost in dropped.items():
        for _ in range(lost):
            log.leave_out()
    for level, number in Counter(row[7] for row in kept).items():
        telemetry.count("zen_log_lines_total", number, level=logging.getLevelName(level).lower())
    return dropped.total()


def take_secrets_out(lines: Iterable[Line]) -> None:
    """Replace their texts by what may be kept. Those that one stream printed are looked at together."""
    printed: dict[Stream, list[Line]] = {}
    for line in lines:
        if line.is_clean:
            continue
        if not line.is_whole:
            line.text = head(line.text, LONGEST, is_whole=False)
        if line.stream is not None:
            printed.setdefault(line.stream, []).append(line)
        elif line.is_whole:
            line.text = redact(line.text)
        line.is_clean = True
        line.text = line.text if line.stream else fitting(line.text)
    for stream, of_it in printed.items():
        texts = [line.text for line in of_it]
        clean = without_secrets(stream.tail, texts)
        stream.tail = "\n".join([stream.tail, *texts])[-TAIL:]
        for line, text in zip(of_it, [*clean, *[""] * (len(texts) - len(clean))], strict=True):
            line.text = fitting(text)


def without_secrets(tail: str, texts: Sequence[str]) -> list[str]:
    """Lines of one stream, without secrets, also where one runs over several lines, or began in `tail`.

    They may be fewer than before. Where it cannot be told which of them hold it, all are masked.
    """
    joined = "\n".join(texts)
    whole: str = redact(joined)
    if whole == MASK or (tail and _spans(tail, joined, whole)):
        return [MASK] * len(texts)
    return whole.split("\n")


def _spans(tail: str, joined: str, whole: str) -> bool:
    before: str = redact(tail)
    return before != MASK and redact(f"{tail}\n{joined}") != f"{before}\n{whole}"


def fitting(text: str) -> str:
    """What a row takes: at most LONGEST bytes, and characters that every database stores."""
    plain = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return plain if len(plain) * 4 <= LONGEST else plain.encode()[:LONGEST].decode(errors="ignore")


def _left_out(number: int) -> str:
    return f"{number:,} line{'s' if number != 1 else ''} left out" if number else ""


def _row(line: Line, text: str) -> tuple[Any, ...]:
    log = line.log
    name = (log.run_id, log.step_id, log.purpose, log.iteration, log.attempt, line.n)
    return (*name, statements.moment(line.at), line.level, line.logger, text, line.trace_id)


def _full(line: Line) -> tuple[Any, ...]:
    """Said once of a run, as a line of no step."""
    text = f"the run has {MOST_OF_A_RUN:,} lines; further ones are left out"
    name = (line.log.run_id, "", "forward", 0, 0, 1)
    return (*name, statements.moment(line.at), logging.WARNING, __name__, text, "")


def _counts(runs: Iterable[int]) -> Counter[int]:
    """How many lines each of these runs has."""
    ids = sorted(runs)
    marks = ", ".join(["%s"] * len(ids))
    text = f"SELECT run_id, count(*) FROM orchestration_runline WHERE run_id IN ({marks}) GROUP BY run_id"  # noqa: S608
    return Counter(dict(statements.rows_of(statements.Statement(text, ids))[0]))
