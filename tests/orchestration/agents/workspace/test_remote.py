"""Which repositories of others may be named, and where git goes for them."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from foundation.errors import BadInput
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.remote import remote_of
from orchestration.agents.workspace.repository import Repository


class Server(http.server.HTTPServer):
    """Sends everybody elsewhere, and remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize(
    "named",
    [
        "http://127.0.0.1:1/a", "http://[::1]:1/a", "http://localhost/a", "https://10.0.0.7/a", "git://192.168.1.1/a",
        "ssh://git@172.16.0.1/a", "git@10.0.0.1:a", "[::1]:a", "http://169.254.169.254/latest", "http://[::ffff:7f00:1]/a",
    ],
)  # fmt: skip
def test_no_host_of_ones_own_is_asked(named: str, tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ()
    with pytest.raises(BadInput, match="not a public address|never called"):
        Repository.create(Layout.of("shop", tmp_path), named)


def test_git_dials_what_was_judged_and_follows_nobody_elsewhere(
    server: Server, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.server_port
    settings.ZEN_OUTBOUND_ALLOW = ("127.0.0.1",)
    real = socket.getaddrinfo

    def ours(host: str, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "git.example.com" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", ours)
    with pytest.raises(BadInput, match="cannot be read"):
        Repository.create(Layout.of("shop", tmp_path), f"http://git.example.com:{port}/shop.git")
    assert {path.partition("?")[0] for path in server.asked} == {"/shop.git/info/refs"}


@pytest.mark.parametrize(
    "named",
    ["ssh://-oProxyCommand=touch%20mine/a", "-oProxyCommand=x:a", "http:///a", "http://a:b/c", "https://h:99999/"],
)
def test_what_is_no_host_is_refused(named: str) -> None:
    with pytest.raises(BadInput):
        remote_of(named)


@pytest.mark.parametrize(
    "named",
    [
        "git://127.0.0.1%2f@git.example.com/shop", "ssh://10.0.0.7%2F@git.example.com/shop",
        "git://git.example.com#.inner.example/shop", "git://git.example.com?.inner.example/shop",
        "http://g\N{LATIN SMALL LETTER A WITH DIAERESIS}te.example.com/shop", "https://a\\@git.example.com/shop",
        "g\N{LATIN SMALL LETTER A WITH DIAERESIS}te.example.com:shop",
    ],
)  # fmt: skip
def test_a_host_that_git_reads_in_another_way_than_it_is_judged_is_refused(named: str) -> None:
    with pytest.raises(BadInput, match="several ways|can be cloned"):
        remote_of(named)


def test_git_speaks_with_nobody_behind_a_hidden_end_of_the_host(tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = ("git.example.com",)
    with socket.create_server(("127.0.0.1", 0)) as mine:
        mine.settimeout(0.2)
        with pytest.raises(BadInput):
            Repository.create(
                Layout.of("shop", tmp_path), f"git://127.0.0.1:{mine.getsockname()[1]}%2f@git.example.com/shop"
            )
        with pytest.raises(TimeoutError):
            mine.accept()


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadInput, match="holds a password") as refused:
        remote_of("https://me:hunter2-hunter2@example.com/shop.git")
    assert "hunter2" not in f"{refused.value} {refused.value.value} {refused.value.remedy}"


def test_of_the_sites_own_folder_only_repositories_of_projects_are_one(tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_DATA_DIR = tmp_path
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    for inside in ("", "projects/a/worktrees/t1", "projects/a/repository.git/../worktrees/t1", "deployments/x"):
        for place in (tmp_path, link):
            named = [f"{prefix}{place / inside}" for prefix in ("", "file://")]
            for one in (*named, named[-1].replace("projects", "%70rojects").replace("deployments", "deploy%6dents")):
                with pytest.raises(BadInput, match="own data folder"):
                    remote_of(one)
    with pytest.raises(BadInput, match="no folder of this machine"):
        remote_of(f"file://localhost{tmp_path}/projects/a/worktrees/t1")
    own = remote_of(str(tmp_path / "projects" / "a" / "repository.git"))
    assert (own.is_folder, own.is_of_a_run) == (True, True)
    assert not remote_of(str(tmp_path.parent / "shop")).is_of_a_run
