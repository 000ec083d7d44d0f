"""TEMPORAL_TLS and its kin, and the codec's keys: what is wrong stops the start and says how to mend it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.servers.tls_proxy import Authority
from zen_project.config.env import Env
from zen_project.config.temporal_server import codec_keys, temporal_server

KEY = base64.b64encode(bytes(range(32))).decode()


def server(**environ: str) -> str:
    found = temporal_server(Env(environ={"TEMPORAL_ADDRESS": "t.test:7233"} | environ))
    return f"{'tls' if found.tls else 'plain'} {found.server_name} {found.api_key}".strip()


def test_tls_is_on_where_it_is_needed() -> None:
    assert server() == "plain"
    assert server(TEMPORAL_TLS="on") == "tls"
    assert server(TEMPORAL_API_KEY="k") == "tls  k"
    assert server(TEMPORAL_TLS_SERVER_NAME="t.test") == "tls t.test"


def test_the_key_itself_is_not_shown() -> None:
    assert "s3cret" not in repr(
        temporal_server(Env(environ={"TEMPORAL_ADDRESS": "t.test:7233", "TEMPORAL_API_KEY": "s3cret"}))
    )


def test_certificates_are_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    (cert, key), (_, other) = authority.pem("a.test"), authority.pem("b.test")
    assert server(TEMPORAL_TLS_CA=str(authority.ca), TEMPORAL_TLS_CERT=str(cert), TEMPORAL_TLS_KEY=str(key)) == "tls"
    for environ, said in (
        ({"TEMPORAL_TLS_CA": "/nowhere.pem"}, "TEMPORAL_TLS_CA.*cannot be read"),
        ({"TEMPORAL_TLS_CA": str(key)}, "TEMPORAL_TLS_CA.*no certificate"),
        ({"TEMPORAL_TLS_CERT": str(cert)}, "TEMPORAL_TLS_KEY is not"),
        ({"TEMPORAL_TLS_KEY": str(key)}, "TEMPORAL_TLS_CERT is not"),
        ({"TEMPORAL_TLS_CERT": str(cert), "TEMPORAL_TLS_KEY": str(other)}, "is not the key of TEMPORAL_TLS_CERT"),
        ({"TEMPORAL_TLS_CERT": str(cert), "TEMPORAL_TLS_KEY": str(cert)}, "is no private key"),
    ):
        with pytest.raises(ImproperlyConfigured, match=said):
            server(**environ)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TEMPORAL_TLS": "off", "TEMPORAL_TLS_SERVER_NAME": "a"}, "contradicts TEMPORAL_TLS_SERVER_NAME"),
        ({"TEMPORAL_TLS": "off", "TEMPORAL_API_KEY": "k"}, "unencrypted"),
        ({"TEMPORAL_ADDRESS": "", "TEMPORAL_TLS": "on"}, "TEMPORAL_TLS=.*TEMPORAL_ADDRESS is not"),
        ({"TEMPORAL_ADDRESS": "", "TEMPORAL_API_KEY": "k"}, "TEMPORAL_API_KEY=.*TEMPORAL_ADDRESS is not"),
        ({"TEMPORAL_API_KEY": "a\nb"}, "no header may hold"),
        ({"TEMPORAL_API_KEY": "ключ"}, "no header may hold"),
    ],
)
def test_contradictions_are_refused(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        server(**environ)


def keys(text: str) -> dict[str, bytes]:
    return codec_keys(Env(environ={"ZEN_TEMPORAL_CODEC_KEYS": text}))


def test_the_first_key_stays_first() -> None:
    assert keys("") == {}
    assert list(keys(f"new:{KEY}, old:{KEY}").items()) == [("new", bytes(range(32))), ("old", bytes(range(32)))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY, "does not begin with id:"),
        (f"a b:{KEY}", "does not begin with id:"),
        ("a:%%%", "'a' that is not base64"),
        (f"a:{KEY[:20]}", "'a' of 15 bytes, not 32"),
        (f"a:{KEY},a:{KEY}", "'a' twice"),
    ],
)
def test_bad_keys_are_refused_and_not_shown(text: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as caught:
        keys(text)
    assert KEY[:20] not in str(caught.value)
