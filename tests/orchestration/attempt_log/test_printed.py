"""What a script prints becomes lines while it runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pytest_django import Settings

from foundation import telemetry
from foundation.secrets.redaction import MASK
from orchestration.actions.base import Call
from orchestration.attempt_log import printed
from orchestration.attempt_log.buffer import BUFFER
from orchestration.attempt_log.line import LONGEST, RAW, Line
from orchestration.core.enums import Purpose
from orchestration.execution.perform import perform
from orchestration.models import RunLine
from tests.orchestration.attempt_log.conftest import Under, texts

pytestmark = [pytest.mark.django_db]


def test_pieces_become_lines_and_the_last_needs_no_end(under: Under) -> None:
    with telemetry.bind(trace_id="4bf92f3577b34da6a3ce929d0e0e4736"), under():
        out, err = printed.listeners()
    for piece in (b"on", b"e\r\n\ntwo\nth", b"ree", b""):
        out(piece)
    err(b"odd\n")
    err(b"")
    BUFFER.flush()
    found = list(RunLine.objects.order_by("n").values_list("logger", "level", "text"))
    assert found == [
        ("stdout", logging.INFO, "one"), ("stdout", logging.INFO, "two"), ("stdout", logging.INFO, "three"),
        ("stderr", logging.WARNING, "odd"),
    ]  # fmt: skip
    assert RunLine.objects.exclude(trace_id="4bf92f3577b34da6a3ce929d0e0e4736").count() == 0


def test_outside_an_attempt_nobody_listens() -> None:
    out, _ = printed.listeners()
    out(b"one\n")
    assert BUFFER.flush() and not texts()


@pytest.mark.parametrize("cut", range(1, 21))
def test_a_secret_that_comes_in_two_pieces_is_masked(under: Under, secret: str, cut: int) -> None:
    raw = secret.encode()
    with under():
        out, _ = printed.listeners()
    out(b"is " + raw[:cut])
    BUFFER.flush()
    out(raw[cut:] + b" so\n")
    BUFFER.flush()
    assert texts() == [f"is {MASK} so"]


def test_a_secret_over_two_lines_is_masked_where_both_are_known(under: Under, secret: str) -> None:
    with under():
        out, _ = printed.listeners()
    out(f"fine\n{secret[:10]}\n{secret[10:]}\n".encode())
    BUFFER.flush()
    assert texts() == [MASK] * 3
    out(b"later\n" * 3)
    BUFFER.flush()
    assert texts()[3:] == ["later"] * 3


def test_a_secret_whose_second_line_is_written_later_is_not_whole(under: Under, secret: str) -> None:
    with under():
        out, _ = printed.listeners()
    out(f"{secret[:10]}\n".encode())
    BUFFER.flush()
    out(f"{secret[10:]}\n".encode())
    BUFFER.flush()
    assert texts() == [secret[:10], MASK]


@pytest.mark.parametrize("before", [LONGEST - 8, RAW - 8])
def test_a_line_without_an_end_is_cut_and_holds_no_half_secret(under: Under, secret: str, before: int) -> None:
    with under():
        out, _ = printed.listeners()
    for _ in range(10):
        out(b"x" * (before // 10))
    out(b"x" * (before % 10) + secret.encode() + b"y" * 100_000)
    out(b"\nnext\n")
    BUFFER.flush()
    long, following = texts()
    assert len(long) <= LONGEST and secret[:4] not in long and following == "next"


def test_a_script_is_heard_before_it_ends(
    under: Under, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script waits for what only this test does, once the script's first line has come."""
    settings.ZEN_SCRIPTS = "unsafe"
    go, add = tmp_path / "go", BUFFER.add

    def heard(line: Line) -> None:
        add(line)
        go.touch()

    monkeypatch.setattr(BUFFER, "add", heard)
    text = f"echo begun; until test -e {go}; do sleep 0.02; done; echo ended >&2"
    call = Call(
        workflow_id="lines-1", step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, idempotency_key="k",
        timeout_seconds=60, action={"type": "script", "script": text},
    )  # fmt: skip
    with under():
        result = perform(call)
    assert result.output == {"stdout": "begun\n", "exit_code": 0}
    BUFFER.flush()
    assert texts() == ["begun", "ended"]
