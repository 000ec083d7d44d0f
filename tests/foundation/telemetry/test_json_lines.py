"""A log line is one JSON object with what the running code is about, and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from foundation.secrets.redaction import RedactingFilter
from foundation.telemetry import JsonFormatter, bind, context, note, say_of_process

log = logging.getLogger("tests.json_lines")


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RedactingFilter())
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)
    context._of_process.clear()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_it_has_what_is_bound_and_whose_process_it_is(told: io.StringIO) -> None:
    say_of_process(worker="w:1")
    with bind(request_id="r-1", colour="red"):
        note(user="ada")
        log.warning("two\nlines of %s", "text")
    log.info("nothing bound")
    first, *rest = lines(told)
    assert first.pop("ts").endswith("+00:00")
    assert first == {
        "level": "warning", "logger": "tests.json_lines", "message": "two\nlines of text", "worker": "w:1",
        "request_id": "r-1", "user": "ada",
    }  # fmt: skip
    assert all("user" not in line for line in rest)


def test_secrets_are_out_of_message_and_traceback(told: io.StringIO, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"PAY": "swordfish-123"}
    try:
        raise ValueError("no door for swordfish-123")
    except ValueError:
        log.exception("token %s failed", "swordfish-123", extra={"given": "swordfish-123"})
    text = told.getvalue()
    assert "swordfish" not in text
    assert "[redacted]" in lines(told)[0]["message"] and "ValueError" in lines(told)[0]["exc"]
