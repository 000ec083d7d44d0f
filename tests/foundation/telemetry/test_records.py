"""To log is safe, whatever the arguments are."""

from __future__ import annotations

import json
import logging

import pytest
from pytest_django import Settings

from foundation.secrets.redaction import RedactingFilter
from foundation.telemetry import JsonFormatter, message_of


class Untold:
    """Raises where it is asked for its text, as a query does while its database is away."""

    def __repr__(self) -> str:
        raise RuntimeError("away")


def record(message: object, *args: object) -> logging.LogRecord:
    return logging.LogRecord("shop", logging.INFO, "shop.py", 1, message, args, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (record("paid %d", 5), "paid 5"),
        (record("paid %d", "five"), "paid %d ('five',)"),
        (record("paid %s %s", 5), "paid %s %s (5,)"),
        (record("paid %s", Untold()), "paid %s (<Untold that cannot be told>)"),
        (record(Untold()), "<Untold that cannot be told> ()"),
    ],
)
def test_what_does_not_fit_stands_beside_the_message(given: logging.LogRecord, told: str) -> None:
    assert json.loads(JsonFormatter().format(given))["message"] == message_of(given) == told


def test_secrets_are_masked_in_it(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"PAY": "s3cret-enough"}
    given = record("paid %s %d", Untold(), "s3cret-enough")
    assert RedactingFilter().filter(given)
    assert given.getMessage() == "paid %s %d (<Untold that cannot be told>, '[redacted]')"
