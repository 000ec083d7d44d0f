"""No log holds what would open a link."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from django.test import Client
from pytest_django import Settings

from approvals.requests import Ask, ask
from approvals.requests.messages.links import _token, link_for, signed
from approvals.web.masking import LinkFilter, masked
from foundation.clock import now
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA
from tests.system.crash.workers import ROOT

PK = "0434ad8f-5c79-461c-8458-21b1c3ae6b8f"
ENDING = "cac064c27c39bbaeb2002232d4a0d8305352d10d42737d8a8daacedb2058a4e1"
PATH = f"/approvals/link/{PK}.{ENDING}/"
MASKED = f"/approvals/link/{PK}.[redacted]/"


@pytest.mark.django_db(transaction=True)
def test_django_writes_no_token_when_it_refuses(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    request, _ = ask(given=Ask(stage="s", approvers=("eve@example.com",)), actor=ADA, engine="celery")
    path = signed(link_for(request, "email:eve@example.com", stage=0)).removeprefix("http://localhost:8000")
    secret = path.split(".")[1].strip("/")
    with caplog.at_level(logging.INFO):
        assert Client(enforce_csrf_checks=True).post(path, {"decision": "approve"}).status_code == 403
        assert Client().post(path, {"decision": "reject"}).status_code == 422
        assert Client().put(path).status_code == 405
        assert Client().get(path[:-4] + "0000/").status_code == 404
        assert Client().post(path, {"decision": "approve"}).status_code == 422, "a yes names what was shown"
        assert Client().post(path, {"decision": "approve", "seen": request.shown_hash}).status_code == 200
        assert Client().get(path).status_code == 410
    lines = [record.getMessage() for record in caplog.records if "/approvals/link/" in record.getMessage()]
    assert len(lines) >= 5 and all("[redacted]" in line for line in lines)
    assert secret[:8] not in caplog.text and secret[:8] not in str([record.args for record in caplog.records])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (PATH, MASKED),
        (f"GET {PATH}?x=1 HTTP/1.1", f"GET {MASKED}?x=1 HTTP/1.1"),
        (f"https://zen.example{PATH[:-20]}", f"https://zen.example/approvals/link/{PK}.[redacted]"),
        (f"/approvals/link/{PK}%2E{ENDING}/", f"/approvals/link/{PK}[redacted]/"),
        (f"/approvals/link/%30434{PATH[20:]}", "/approvals/link/[redacted]/"),
        (f"/approvals/link/{PK}/", f"/approvals/link/{PK}/"),
        ("/approvals/d-12/", "/approvals/d-12/"),
    ],
)
def test_what_is_taken_out(text: str, clean: str) -> None:
    assert masked(text) == clean


class Shown:
    def __str__(self) -> str:
        return f"<WSGIRequest: POST '{PATH}'>"


@pytest.mark.parametrize(
    ("message", "args", "line"),
    [
        ('%s - "%s %s HTTP/%s" %d', ("1.2.3.4:5", "GET", PATH, "1.1", 200), f'1.2.3.4:5 - "GET {MASKED} HTTP/1.1" 200'),
        ("%(path)s", ({"path": PATH},), MASKED),
        ("%s in %.1f", (Shown(), 2.0), f"<WSGIRequest: POST '{MASKED}'> in 2.0"),
        (f"no arguments, 100 % of {PATH}", (), f"no arguments, 100 % of {MASKED}"),
    ],
)
def test_every_record_keeps_its_form(message: str, args: tuple[Any, ...], line: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, message, args, None)
    assert LinkFilter().filter(record) and record.getMessage() == line
    assert len(record.args or ()) == len(args)


def test_a_fault_that_names_the_address_is_masked() -> None:
    try:
        raise LookupError(PATH)
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "it broke", (), sys.exc_info())
    LinkFilter().filter(record)
    assert record.exc_text and MASKED in record.exc_text and ENDING not in logging.Formatter().format(record)


def test_the_server_of_development_is_heard_without_tokens() -> None:
    heard: list[str] = []
    ear = logging.Handler()
    ear.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("django.server")
    assert log.handlers, "its own line is still there"
    log.addHandler(ear)
    try:
        log.info('"%s" %s %s', f"GET {PATH} HTTP/1.1", "200", "512")
    finally:
        log.removeHandler(ear)
    assert heard == [f'"GET {MASKED} HTTP/1.1" 200 512']


@pytest.mark.slow
def test_uvicorn_as_the_image_starts_it_writes_no_token(tmp_path: Path) -> None:
    """A real one: what counts is who sets up logging last. Its database is empty, so Django has a fault to tell."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token, written = _token(PK), tmp_path / "log"
    told = {"ZEN_DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/zen.sqlite3"}
    command = [sys.executable, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port), "--proxy-headers"]
    with written.open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, stdout=log, stderr=log)
    try:
        for method in ("GET", "POST"):
            assert called(f"http://127.0.0.1:{port}/approvals/link/{token}/", method) in (403, 500)
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)
    text = written.read_text()
    assert f'"GET {MASKED} HTTP/1.1" 500' in text and f"Forbidden (CSRF cookie not set.): {MASKED}" in text
    assert token.split(".")[1] not in text


def called(url: str, method: str) -> int:
    until = now().timestamp() + PATIENCE_SECONDS
    while True:
        try:
            with urlopen(Call(url, method=method), timeout=PATIENCE_SECONDS) as answer:
                return int(answer.status)
        except HTTPError as refusal:
            return refusal.code
        except OSError:
            assert now().timestamp() < until, "it does not listen"
            time.sleep(0.1)
