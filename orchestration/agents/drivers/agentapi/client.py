"""What agentapi answers. Every answer is bounded in time and size."""

from __future__ import annotations

from typing import Any

import httpx2

SECONDS = 30.0
"""agentapi itself waits up to 15 s until the agent has begun."""
MOST_BYTES = 32 * 1024 * 1024


class Unreachable(Exception):
    """It did not answer, or not in its own words."""


class Refused(Exception):
    """It answered that it will not. `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class AgentApiClient:
    """Of one server. Has to be closed."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url.rstrip("/"), timeout=SECONDS, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def status(self) -> dict[str, Any]:
        """`status` is running or stable. Raises Unreachable, Refused; so does every other."""
        found = self._ask("GET", "/status")
        if found.get("status") not in ("running", "stable"):
            raise Unreachable(f"it is no agentapi: /status has no status but {str(found)[:200]}")
        return found

    def messages(self) -> list[dict[str, Any]]:
        """All messages, those without an id left out."""
        found = self._ask("GET", "/messages").get("messages")
        return [one for one in found or () if isinstance(one, dict) and isinstance(one.get("id"), int)]

    def say(self, text: str) -> None:
        """A message of the user; returns once the agent has begun."""
        self._ask("POST", "/message", {"content": text, "type": "user"})

    def press(self, keys: str) -> None:
        """Keystrokes."""
        self._ask("POST", "/message", {"content": keys, "type": "raw"})

    def version(self) -> str:
        """As its document says; '' where there is none."""
        try:
            info = self._ask("GET", "/openapi.json").get("info")
        except (Unreachable, Refused):
            return ""
        return str(info.get("version", "")) if isinstance(info, dict) else ""

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            with self._http.stream(method, path, json=body) as response:
                data = b""
                for piece in response.iter_bytes():
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise Unreachable(f"{path} answers more than {MOST_BYTES} bytes")
                return _value(path, response.status_code, data)
        except httpx2.HTTPError as error:
            raise Unreachable(f"{self._http.base_url}: {type(error).__name__}: {error}") from error


def _value(path: str, status: int, data: bytes) -> dict[str, Any]:
    try:
        value = httpx2.Response(200, content=data).json()
    except ValueError:
        value = None
    if status != 200:
        raise Refused(status, _told(value) or data[:300].decode(errors="replace"))
    if not isinstance(value, dict):
        raise Unreachable(f"it is no agentapi: {path} answers no object")
    return value


def _told(problem: object) -> str:
    """The text of a problem: in its first error, for its detail says nothing."""
    if not isinstance(problem, dict):
        return ""
    errors = problem.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("message", "")) if isinstance(first, dict) else str(problem.get("detail", ""))
