"""What the entries of a list of hosts mean, and which are refused."""

from __future__ import annotations

import pytest

from orchestration.agents.process.allow_list import AllowList, problem_of


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("api.openai.com", "api.openai.com", 443, True),
        ("api.openai.com", "API.OpenAI.com", 80, True),
        ("api.openai.com", "api.openai.com", 22, False),
        ("api.openai.com", "evil-api.openai.com", 443, False),
        ("api.openai.com", "api.openai.com.evil.example", 443, False),
        ("*.pypi.org:443", "files.pypi.org", 443, True),
        ("*.pypi.org:443", "files.pypi.org", 80, False),
        ("*.pypi.org", "pypi.org", 443, False),
        ("*.pypi.org", "notpypi.org", 443, False),
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("127.0.0.1:8080", "localhost", 8080, False),
        ("[::1]:8080", "::1", 8080, True),
        ("2606:4700::1111", "2606:4700::1111", 443, True),
    ],
)
def test_an_entry_allows_its_host_at_its_port(entry: str, host: str, port: int, allowed: bool) -> None:
    assert problem_of(entry) is None
    assert AllowList([entry]).allows(host, port) is allowed


@pytest.mark.parametrize(
    ("entry", "message", "remedy"),
    [
        ("https://api.openai.com", "is an address, no host", "without scheme"),
        ("api.openai.com/v1", "is an address, no host", "without scheme"),
        ("10.0.0.0/8", "is an address, no host", "write the host alone"),
        ("user@api.openai.com", "is an address, no host", "user"),
        ("*", "would allow hosts of everybody", "*.example.com"),
        ("*.com", "would allow hosts of everybody", "network host"),
        ("*:443", "would allow hosts of everybody", "network host"),
        ("api.*.com", "would allow hosts of everybody", "*.example.com"),
        ("api.openai.com:0", "has no port from 1 to 65535", "after the colon"),
        ("api.openai.com:65536", "has no port from 1 to 65535", "after the colon"),
        ("api.openai.com:", "has no port from 1 to 65535", "after the colon"),
        ("api.openai.com:https", "has no port from 1 to 65535", "after the colon"),
        ("", "is no host", "ASCII"),
        ("two words", "is no host", "ASCII"),
        ("bücher.example", "is no host", "ASCII"),
        ("127.1:8080", "is no host", "ASCII"),
        ("0x7f000001:8080", "is no host", "ASCII"),
        ("fe80::1%eth0", "is no host", "ASCII"),
        ("a" * 300 + ".example", "is no host", "ASCII"),
        ("10.0.0.1", "is no public address", "10.0.0.1:PORT"),
        ("::1", "is no public address", "[::1]:PORT"),
        ("169.254.169.254:80", "is the cloud's metadata address", "another host"),
        ("localhost:80", "is a port of the loopback", "1024"),
    ],
)
def test_a_wrong_entry_is_told_with_its_remedy(entry: str, message: str, remedy: str) -> None:
    problem = problem_of(entry)
    assert problem is not None
    assert problem[0].startswith(message) and remedy in problem[1]


def test_private_places_are_those_named_with_their_port() -> None:
    found = AllowList(["db.internal", "db.internal:5432", "*.internal:80", "LOCALHOST:8080", "127.0.0.2:9090"])
    assert found.private == ["db.internal:5432", "localhost:8080", "127.0.0.2:9090"]
    assert found.loopback_words == "127.0.0.1/8080,::1/8080,127.0.0.2/9090"
