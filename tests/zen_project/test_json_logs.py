"""With ZEN_LOG_FORMAT=json every line of a web process is a JSON object, uvicorn's too."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.crash.workers import ROOT


@pytest.mark.django_db(transaction=True)
def test_every_line_of_a_real_server_is_json(process_env: dict[str, str]) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "zen_project.asgi:application", "--port", str(port)],
        cwd=ROOT, env=process_env | {"ZEN_LOG_FORMAT": "json"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    with server:
        try:
            wait_until(lambda: is_up(port), "uvicorn")
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/nowhere", headers={"X-Request-ID": "r-7"})
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(asked, timeout=60)
        finally:
            server.terminate()
        text, _ = server.communicate(timeout=PATIENCE_SECONDS)
    lines = [json.loads(line) for line in text.splitlines()]
    asked_for = [line for line in lines if "/nowhere" in line["message"]]
    assert {line["logger"] for line in asked_for} == {"django.request", "uvicorn.access"}
    assert [line["request_id"] for line in asked_for if line["logger"] == "django.request"] == ["r-7"]


def is_up(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
