"""The site's own API, served from this process, and people who use it with tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx2
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.wsgi import get_wsgi_application

from foundation.models import ApiToken
from zen_project.web.bodies import wsgi_limit

CAST = {
    "bob": ("approver", "reviewers"),
    "carol": ("approver", "reviewers"),
    "dora": ("approver", "release-managers"),
    "erin": ("approver",),
}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        return


@contextmanager
def served() -> Iterator[str]:
    """Its address, while it runs."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]
    application = wsgi_limit(get_wsgi_application())
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True, name="demo-site").start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1"
    finally:
        server.shutdown()
        server.server_close()


class Person:
    """A person of the demonstration, with an account and a token."""

    def __init__(self, name: str, api: str) -> None:
        self.name, self.api = name, api
        user, _ = User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.com"})
        for group in CAST[name]:
            user.groups.add(Group.objects.get_or_create(name=group)[0])
        self.client = httpx2.Client(headers={"Authorization": f"Bearer {ApiToken.issue(user, name='demo')[1]}"})

    def inbox(self) -> list[str]:
        return [row["request_id"] for row in self._get("/approvals/?mine=true")["results"]]

    def says(self, decision: str, request_id: str, comment: str = "") -> dict[str, Any]:
        """Read what is asked, then decide on exactly that."""
        seen = self._get(f"/approvals/{request_id}/")["content_hash"]
        body = {"decision": decision, "comment": comment, "seen": seen}
        answer = self.client.post(f"{self.api}/approvals/{request_id}/decide/", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.client.get(f"{self.api}{path}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
