"""Answers with a Content-Encoding: all of what was packed, or none of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import httpx2
import pytest

from foundation.outbound.decoding import plain
from orchestration.actions.base import Call
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer

Build = Callable[..., Call]
TEXT = b'{"lines": [' + b",".join(b'"%d"' % number for number in range(2000)) + b"]}"
MEMBERS = b"".join(gzip.compress(part) for part in (TEXT[:7], b"", TEXT[7:900], TEXT[900:]))
RAW = zlib.compress(TEXT)[2:-4]
LINES = {"lines": [str(number) for number in range(2000)]}


def got(call: Build, peer: Peer, coding: str, body: bytes, status: int = 200) -> tuple[Outcome, object, str]:
    peer.say("/x", status, {"Content-Encoding": coding, "Content-Type": "application/json"}, body)
    result = perform(call(type="api_call", method="POST", url=f"{peer.url}/x"))
    return result.outcome, result.output, result.error


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(TEXT)), ("GZip", gzip.compress(TEXT)), ("x-gzip", gzip.compress(TEXT)),
        ("gzip", MEMBERS), ("gzip", MEMBERS + bytes(512)), ("gzip", MEMBERS + b"\x1f"),
        ("deflate", zlib.compress(TEXT)), ("deflate", RAW), ("identity", TEXT), ("", TEXT),
        ("gzip, gzip", gzip.compress(MEMBERS)), ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
        ("identity, gzip", gzip.compress(TEXT)),
    ],
)  # fmt: skip
def test_all_that_was_packed_is_there(call: Build, peer: Peer, coding: str, body: bytes) -> None:
    assert got(call, peer, coding, body) == (Outcome.SUCCEEDED, LINES, "")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(TEXT)[:-9]), ("gzip", gzip.compress(TEXT)[:600]), ("gzip", gzip.compress(TEXT)[:-4]),
        ("gzip", MEMBERS[:-9]), ("gzip", gzip.compress(TEXT)[:1]), ("x-gzip", gzip.compress(TEXT)[:600]),
        ("deflate", zlib.compress(TEXT)[:600]), ("deflate", RAW[:-1]), ("deflate", b"x"),
        ("gzip, gzip", gzip.compress(MEMBERS[:-9])),
    ],
)  # fmt: skip
def test_what_breaks_off_is_no_answer(call: Build, peer: Peer, coding: str, body: bytes) -> None:
    outcome, output, error = got(call, peer, coding, body)
    assert (outcome, output) == (Outcome.UNKNOWN, None) and "breaks off" in error


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", TEXT), ("deflate", b"\x78\x9c\xff" + TEXT), ("gzip", gzip.compress(TEXT) + b"\x1f\x8b" + bytes(30))],
)
def test_what_is_not_packed_as_it_is_said_is_no_answer(call: Build, peer: Peer, coding: str, body: bytes) -> None:
    outcome, output, error = got(call, peer, coding, body)
    assert (outcome, output) == (Outcome.UNKNOWN, None) and "not what its Content-Encoding says" in error


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_no_body_is_none_whatever_its_coding(call: Build, peer: Peer, coding: str) -> None:
    assert got(call, peer, coding, b"", 204) == (Outcome.SUCCEEDED, {}, "")


@pytest.mark.parametrize(("coding", "body"), [("gzip", MEMBERS), ("deflate", zlib.compress(TEXT)), ("deflate", RAW)])
@pytest.mark.parametrize("size", [1, 2, 3, 19])
def test_it_may_come_in_pieces_of_any_size(coding: str, body: bytes, size: int) -> None:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    response = httpx2.Response(200, headers={"Content-Encoding": coding}, content=pieces)
    assert b"".join(plain(response)) == TEXT


def test_a_little_that_unpacks_to_much_comes_in_pieces() -> None:
    packed = gzip.compress(bytes(8 * 1024 * 1024))
    response = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=iter([packed]))
    assert max(len(piece) for piece in plain(response)) <= 1024 * 1024
