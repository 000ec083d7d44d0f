"""Lines as rows: without secrets, bounded, and written twice without effect."""

from __future__ import annotations

import logging

import pytest
from pytest_django import Settings

from foundation.secrets.redaction import MASK
from orchestration.attempt_log import rows
from orchestration.attempt_log.buffer import BUFFER
from orchestration.attempt_log.current import add, current
from orchestration.attempt_log.line import LONGEST
from orchestration.models import Run, RunLine
from tests.orchestration.attempt_log.conftest import Under, filled, texts

log = logging.getLogger("shop.orders")
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_secret_in_a_line_is_masked(under: Under, secret: str) -> None:
    with under():
        log.info("sent with %s", secret)
        log.info("sent with %s", secret.encode().hex())
    BUFFER.flush()
    assert texts() == [f"sent with {MASK}"] * 2


def test_a_long_line_is_cut_after_its_secrets_are_taken_out(under: Under, secret: str) -> None:
    with under():
        log.info("%s%s%s", "x" * (LONGEST - 5), secret, "y" * 100)
        log.info("%s%s%s", "x" * (2 * LONGEST - 5), secret, "y" * 100)
    BUFFER.flush()
    for text in texts():
        assert len(text) <= LONGEST and secret[:4] not in text


def test_a_line_is_at_most_8_kib_of_utf_8_and_is_never_cut_within_a_character(under: Under) -> None:
    with under():
        log.info("ü" * LONGEST)
    BUFFER.flush()
    assert texts() == ["ü" * (LONGEST // 2)]


def test_characters_that_no_database_takes_are_replaced(under: Under) -> None:
    with under():
        found = current()
        assert found is not None
        add(found, "a\x00b\ud800c", level=logging.INFO, logger="shop")  # pytest cannot show such a record
    BUFFER.flush()
    assert texts() == ["a\ufffdb\ufffdc"]


def test_lines_that_are_written_twice_are_there_once(under: Under) -> None:
    with under():
        log.info("once")
    batch = list(BUFFER._lines)
    assert BUFFER.flush()
    rows.write(batch)
    assert texts() == ["once"]


def test_a_run_keeps_ten_thousand_lines_and_says_so_once(
    run: Run, under: Under, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_OF_A_RUN", 20)
    filled(run, 19)
    with under():
        log.info("the last")
        log.info("too many")
        log.info("too many")
    with under(attempt=2):
        log.info("too many")
    BUFFER.flush()
    with under(attempt=3):
        log.info("too many")
    BUFFER.flush()
    assert texts(step_id="a") == ["the last"]
    assert texts(step_id="") == ["the run has 20 lines; further ones are left out"]


def test_what_runs_over_lines_is_found_and_what_is_about_other_things_stays(secret: str) -> None:
    half, rest = secret[:10], secret[10:]
    assert rows.without_secrets("", ["one", "two"]) == ["one", "two"]
    assert rows.without_secrets("", ["one", f"is {secret}"]) == ["one", f"is {MASK}"]
    assert rows.without_secrets("", [half, rest]) == [MASK, MASK]
    assert rows.without_secrets(half, [rest, "two"]) == [MASK, MASK]
    assert rows.without_secrets("begun", [rest, "two"]) == [rest, "two"]


def test_a_key_file_that_is_printed_line_by_line_leaves_no_line(settings: Settings) -> None:
    key = ["-----BEGIN KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQ", "abc=="]
    settings.ZEN_SECRETS = {"KEY": "\n".join(key)}
    clean = rows.without_secrets("", ["before", *key, "after"])
    assert clean == ["before", MASK, "after"]
    assert RunLine.objects.count() == 0
