"""Log lines as JSON objects, one a line, with what the running code is about."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from foundation.telemetry.context import bound, of_process
from foundation.telemetry.records import message_of

FIELDS = ("workflow_id", "step_id", "attempt", "engine", "worker", "trace_id", "span_id", "request_id", "user")
"""What is told of what is bound, where it is bound."""

LONGEST = 64 * 1024


class JsonFormatter(logging.Formatter):
    """`{"ts", "level", "logger", "message", …FIELDS, "exc"}`.

    Secrets are taken out before: by filters of the handler, which come last of all that see the record. What the record
    has besides (`extra`) is not told, since no filter has seen it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """logging's hook. `ts` in ISO 8601 and UTC; `exc` is the traceback as text."""
        told: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record)[:LONGEST],
        }
        of_request = getattr(getattr(record, "request", None), "telemetry", {})  # told of after its `bind` is over
        about = {**of_process(), **of_request, **bound()}
        told |= {name: about[name] for name in FIELDS if about.get(name)}
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            told["exc"] = record.exc_text[:LONGEST]
        if record.stack_info:
            told["stack"] = record.stack_info[:LONGEST]
        return json.dumps(told, ensure_ascii=False, default=str)
