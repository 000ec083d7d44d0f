"""The record of a run: every row that is about it, one JSON object a line, without secrets.

The lines are {"row": "run", …}, then `definition`, `step`, `attempt` (commands and timers), `event`, `message`, `line`
and `agent` (sessions of agents), each with the columns of its table. What was there is told in this order however it
was written, so the same rows give the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Model

from foundation.db import statements
from foundation.secrets.redaction import redact
from foundation.secrets.store import known
from orchestration.ledger.loaded import loaded
from orchestration.models import Run

PAGE = 1000
TABLES = (
    ("step", "steps"), ("attempt", "commands"), ("event", "events"), ("message", "messages"), ("line", "lines"),
    ("agent", "agent_attempts"),
)  # fmt: skip
"""How a row's line is called, and the relation of the run that has it."""


def lines_of(run: Run) -> Iterator[bytes]:
    """The record, line by line. Rows that were not read with the run are read in pages, so a long one takes no more
    memory than a short one."""
    yield _line("run", run)
    yield _line("definition", run.definition)
    for name, relation in TABLES:
        rows = loaded(run, relation)
        for row in getattr(run, relation).order_by("pk").iterator(chunk_size=PAGE) if rows is None else rows:
            yield _line(name, row)


def written(run: Run) -> tuple[str, str]:
    """The SHA-256 of the run's record, and its file below ZEN_ARCHIVE_DIR; '' for the file where none is set.

    When this returns, the file is on disk. One that is there already is written anew and takes its place whole.

    Raises:
        OSError: it cannot be written.
    """
    total = hashlib.sha256()
    if not settings.ZEN_ARCHIVE_DIR:
        for line in lines_of(run):
            total.update(line)
        return total.hexdigest(), ""
    name = f"{run.finished_at:%Y/%m/%d}/{run.pk}-{run.workflow_id}.jsonl"
    path = Path(settings.ZEN_ARCHIVE_DIR) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{run.pk}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            for line in lines_of(run):
                total.update(line)
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    _sync(path.parent)
    return total.hexdigest(), name


def _line(name: str, row: Model) -> bytes:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}  # noqa: SLF001 - public
    text = statements.as_json({"row": name, **values})
    return (statements.as_json(redact(statements.from_json(text))) if known() else text).encode() + b"\n"


def _sync(folder: Path) -> None:
    """A new name is on disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
