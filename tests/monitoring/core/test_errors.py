"""An error has a class, and the same fingerprint as others that differ only in ids, numbers, times and URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.errors import class_of, fingerprint, in_short
from tests.support.examples import examples


@pytest.mark.parametrize(
    ("error", "status", "found"),
    [
        ("POST http://a.b/c: 503", 503, "http_5xx"),
        ("", 429, "http_429"),
        ("", 404, "http_4xx"),
        ("POST http://a.b/c: no answer within 5 s", None, "timeout"),
        ("GET http://a.b/: connection refused", None, "connection"),
        ("certificate verify failed", None, "tls"),
        ("the task raised ValueError: no", None, "task_raised"),
        ("the script ended with 3: no", None, "script_exit"),
        ("nothing that we know", None, ""),
    ],
)
def test_its_class(error: str, status: int | None, found: str) -> None:
    assert class_of(error, status) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 failed", "order 4711 failed"),
        ("POST http://a.b/orders/17?x=1: 503", "POST http://a.b/orders/18: 503"),
        ("id 8f14e45f-ceea-467f-a8a3-1b6d2f0a9b11 is gone", "id 00000000-0000-4000-8000-000000000000 is gone"),
        ("at 2026-11-27T12:00:00Z", "at 2025-01-01T00:00:01.5+02:00"),
        ("no customer 'ann'", "no customer 'bob'"),
        ("hash deadbeefdeadbeef", "hash 0123456789abcdef"),
        ("503: <Id>TX9G2QZKXWVBRNAJ</Id> aZ+k/Q1x8Jrm0pLwVh2=", "503: <Id>4YB7K0M3QHTR9C2D</Id> T0/u9fWcMx3+eYqGb5R=="),
        ("500: request req_Ab3xYzQw of cus_NffrFeUfNV2Hib", "500: request req_7KpLmN2 of cus_9s6XKzkNRiz8i3"),
        ("500: trace " + "kQ" * 20 + " " + "x " * 400, "500: trace " + "Zb" * 14 + " " + "x " * 390),
    ],
)
def test_the_same_error_in_other_words(one: str, other: str) -> None:
    assert fingerprint(one, "x") == fingerprint(other, "x")


def test_another_error_is_another() -> None:
    assert len({fingerprint(text, kind) for text in ("no stock", "no money") for kind in ("", "timeout")}) == 4
    assert fingerprint("answered 422: sku unknown", "") != fingerprint("answered 422: currency refused", "")


@examples(200)
@given(st.text(max_size=500), st.one_of(st.none(), st.integers(100, 599)))
def test_any_text_has_both(text: str, status: int | None) -> None:
    assert len(fingerprint(text, class_of(text, status))) == 16
    assert len(in_short(text, status, "host")) <= 160
