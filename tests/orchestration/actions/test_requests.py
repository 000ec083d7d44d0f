"""What of an action goes over the wire, byte for byte."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import h11
import httpcore2
import pytest
from pytest_django import Settings

from orchestration.actions.base import Call, Result
from orchestration.actions.http import exchange
from orchestration.actions.http.request import wire_key
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.support.peer import Peer, Request

Build = Callable[..., Call]
LATIN = "text/plain; charset=latin-1"
FORM = "application/x-www-form-urlencoded"
BYTES = bytes(range(256))
BINARY = {"base64": base64.b64encode(BYTES).decode(), "type": "application/pdf"}


@pytest.fixture
def send(call: Build, peer: Peer) -> Callable[..., tuple[Result, Request | None]]:
    def go(path: str = "/x", **action: Any) -> tuple[Result, Request | None]:
        peer.say("/x", 200)
        peer.seen.clear()
        result = perform(call(**{"type": "api_call", "method": "POST", "url": f"{peer.url}{path}", **action}))
        return result, peer.seen[0] if peer.seen else None

    return go


Send = Callable[..., tuple[Result, Any]]


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/x", {"id": 7, "tag": ["a b", "c&d"], "on": True, "empty": ""}, "/x?id=7&tag=a%20b&tag=c%26d&on=true&empty="),
        ("/x?a=1", {"ü": "ß"}, "/x?a=1&%C3%BC=%C3%9F"),
        ("/x", {"none": []}, "/x"),
    ],
)
def test_query_parameters(send: Send, path: str, query: dict[str, Any], asked: str) -> None:
    assert send(path, query=query)[1].path == asked


def test_a_form(send: Send) -> None:
    """Case sagas/08."""
    wanted = "grant_type=client_credentials&name=A%26B%3DC+%2B1%25"
    given = {"grant_type": "client_credentials", "name": "A&B=C +1%"}
    for action in ({"form": given}, {"payload": given, "headers": {"content-type": FORM}}):
        result, seen = send(**action)
        assert (result.outcome, seen.body, seen.headers["content-type"]) == (Outcome.SUCCEEDED, wanted, FORM)
    assert parse_qsl(send(form={"a": ["ü", 2], "b": True})[1].body) == [("a", "ü"), ("a", "2"), ("b", "true")]


def test_multipart(send: Send) -> None:
    parts: list[dict[str, Any]] = [
        {"name": "note", "value": "grün"},
        {"name": "meta", "value": {"n": 1}},
        {"name": "file", "filename": 'a "b".pdf', "value": BINARY},
        {"name": "raw", "filename": "r.bin", "base64": base64.b64encode(b"\r\n--x").decode(), "content_type": "a/b"},
    ]
    seen = send(multipart=parts)[1]
    again = send(multipart=parts)[1]
    assert seen.raw == again.raw and seen.headers["content-type"] == again.headers["content-type"]
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    found = BytesParser(policy=HTTP).parsebytes(head + seen.raw)
    got = [
        (part.get_param("name", header="content-disposition"), part.get_content_type(), part.get_payload(decode=True))
        for part in found.iter_parts()
    ]
    assert got == [
        ("note", "text/plain", "grün".encode()),
        ("meta", "application/json", b'{"n":1}'),
        ("file", "application/pdf", BYTES),
        ("raw", "a/b", b"\r\n--x"),
    ]
    assert b'filename="a %22b%22.pdf"' in seen.raw


@pytest.mark.parametrize(
    ("action", "raw", "kind"),
    [
        ({"body": "grün"}, "grün".encode(), "text/plain; charset=utf-8"),
        ({"body": "grün", "headers": {"Content-Type": LATIN}}, b"gr\xfcn", LATIN),
        ({"body": BINARY}, BYTES, "application/pdf"),
        ({"body": {"base64": "AAEC"}}, b"\x00\x01\x02", "application/octet-stream"),
        ({"body": {"base64": "AAEC"}, "headers": {"content-type": "a/b"}}, b"\x00\x01\x02", "a/b"),
        ({"body": {"text": "<a/>", "type": "application/xml"}}, b"<a/>", "application/xml"),
        ({"payload": "text"}, b"text", None),
        ({"payload": {"base64": "AAEC", "type": "a/b"}}, b'{"base64":"AAEC","type":"a/b"}', "application/json"),
        ({"payload": [1, "ü"]}, b'[1,"\\u00fc"]', "application/json"),
    ],
)  # fmt: skip
def test_bodies(send: Send, action: dict[str, Any], raw: bytes, kind: str | None) -> None:
    seen = send(**action)[1]
    assert (seen.raw, seen.headers.get("content-type")) == (raw, kind)


def test_credentials(send: Send, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": "s3cret-ü-value"}
    basic = send(auth={"basic": ["me", "{secret:KEY}"]})[1].headers["authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == "me:s3cret-ü-value"
    settings.ZEN_SECRETS = {"KEY": "s3cret-value"}
    assert send(auth={"bearer": "{secret:KEY}"})[1].headers["authorization"] == "Bearer s3cret-value"
    assert "s3cret" not in repr(send("/nowhere", method="GET", auth={"basic": ["me", "{secret:KEY}"]})[0])


def test_headers_and_keys_with_more_than_ascii(send: Send, call: Build, peer: Peer) -> None:
    """Case sagas/09. The peer reads a header as latin-1, so UTF-8 comes out as its bytes."""
    seen = send(headers={"X-Name": "Zoë Müller", "X-Pad": "  a b\t"})[1]
    assert seen.headers["x-name"].encode("latin-1").decode() == "Zoë Müller"
    assert seen.headers["x-pad"] == "a b"
    assert wire_key("order-Müller:forward:1") == "order-M%C3%BCller:forward:1"
    assert wire_key("50% off:1") == "50% off:1" and wire_key("50% grün") == "50%25%20gr%C3%BCn"
    assert wire_key(" a") == "%20a" and wire_key("a\nb") == "a%0Ab"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "the header 'X-A' holds a line break"),
        ({"headers": {"X-A": "a\x7f"}}, "the header 'X-A' holds"),
        ({"headers": {"Content-Length": "3"}, "payload": {"a": 1}}, "the header 'Content-Length' contradicts the body"),
        ({"headers": {"transfer-encoding": "chunked"}}, "the header 'transfer-encoding'"),
        ({"query": {"a": None}}, "query 'a' would be null"),
        ({"query": {"a": {"b": 1}}}, "query 'a' would be a list or mapping"),
        ({"form": {"a": [[1]]}}, "form 'a' would be a list or mapping"),
        ({"payload": {"a": {"b": 1}}, "headers": {"Content-Type": FORM}}, "payload 'a' would be a list or mapping"),
        ({"payload": 1, "form": {"a": 1}}, "form is given beside payload"),
        ({"body": {"base64": "%"}}, "body.base64 would be no base64"),
        ({"body": {"base64": "AAEC", "type": "a/b\r\nX: y"}}, "body.type would be no media type"),
        ({"body": 5}, "JSON goes in payload"),
        ({"body": "grün", "headers": {"Content-Type": "text/plain; charset=ascii"}}, "body cannot be written in ascii"),
        ({"multipart": [{"name": "a", "value": 1, "content_type": "a/b\r\nX: y"}]}, "multipart[0].content_type"),
        ({"multipart": [{"name": "a"}]}, "multipart[0] would have no value"),
        ({"auth": {"basic": ["a:b", "c"]}}, "holds a colon"),
        ({"auth": {"bearer": "a\nb"}}, "the header 'Authorization' holds a line break"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_fails_cleanly_and_is_named(send: Send, action: dict[str, Any], said: str) -> None:
    """Case sagas/11: never a fault of the machinery, and nothing is sent."""
    result, seen = send(**action)
    assert (result.outcome, result.maybe, seen) == (Outcome.FAILED, False, None)
    assert "the request cannot be built" in result.error and said in result.error


def test_a_length_that_is_right_changes_nothing(send: Send) -> None:
    result, seen = send(payload="abc", headers={"content-length": "3"})
    assert result.outcome is Outcome.SUCCEEDED and seen.raw == b"abc" and seen.headers["content-length"] == "3"


@pytest.mark.parametrize(
    "error", [h11.LocalProtocolError("odd"), httpcore2.LocalProtocolError("odd"), ValueError("odd")]
)
def test_what_the_library_refuses_is_no_fault_of_the_machinery(
    send: Send, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(exchange, "_send", refuse)
    result = send()[0]
    assert result.outcome is Outcome.FAILED
    assert re.fullmatch(r"POST http://\S+/x: the request cannot be built: odd", result.error)


def test_a_secret_with_a_line_break_is_not_told(send: Send, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": "first-line-of-it\nsecond-line-of-it"}
    result, seen = send(headers={"X-Key": "{secret:KEY}"})
    assert seen is None and "'X-Key'" in result.error and "line-of-it" not in repr(result)


def test_errors_name_the_method_and_the_whole_url_without_secrets(
    send: Send, call: Build, peer: Peer, settings: Settings
) -> None:
    settings.ZEN_SECRETS = {"KEY": "s3cret value"}
    result = send("/things/a?page=2", method="GET", query={"key": "{secret:KEY}"})[0]
    assert f"GET {peer.url}/things/a?page=2&key=[redacted] answered 404" in result.error
    peer.behave("/things/a", "cut")
    lost = perform(call(type="api_call", method="PUT", url=f"{peer.url}/things/a?k={{secret:KEY}}"))
    assert f"PUT {peer.url}/things/a?k=[redacted]: the connection failed" in lost.error


def test_json_stays_json(send: Send) -> None:
    assert json.loads(send(payload={"a": "A&B"})[1].body) == {"a": "A&B"}
