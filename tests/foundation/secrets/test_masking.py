"""What has a credential's name is masked wherever it stands; a reference stays; the rest is shown as it is."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from foundation.secrets.masking import excerpt, is_sensitive, masked, text_shown, url_shown, value_shown
from foundation.secrets.redaction import MASK, redact

HIDDEN = "hunter2-plain"


@pytest.mark.parametrize(
    "name",
    ["password", "dbPassword", "X-Api-Key", "api_key", "APIKEY", "access-token", "clientSecret", "Authorization",
     "set-cookie", "PRIVATE_KEY", "jwt", "card_number", "passwd", "x-amz-signature", "OTP", "sessionId"],
)  # fmt: skip
def test_names_of_credentials(name: str) -> None:
    assert is_sensitive(name) and value_shown(name, HIDDEN) == MASK


@pytest.mark.parametrize(
    "name",
    ["author", "passenger", "keyboard", "key", "code", "token_type", "password_length", "max_tokens", "tokens",
     "pinned", "design", "cookies_count", "secretary", "order_id", "spin", "authority"],
)  # fmt: skip
def test_names_that_only_look_like_it(name: str) -> None:
    assert not is_sensitive(name) and value_shown(name, "x") == "x"


@pytest.mark.parametrize("value", ["{secret:KEY}", "Bearer {secret:KEY}", "basic {secret:KEY}", ""])
def test_a_reference_stays(value: str) -> None:
    assert value_shown("Authorization", value) == value
    assert value_shown("Authorization", f"{HIDDEN}{value}") == MASK


def test_urls() -> None:
    for url in (
        f"https://u:{HIDDEN}@h:8/x", f"https://{HIDDEN}@h/x", f"https://h/x?token={HIDDEN}&page=2#{HIDDEN}",
        f"https://h/x?key={HIDDEN}", f"https://h/x?code={HIDDEN}&a=b", f"https://h/x?API_KEY={HIDDEN}", f"http://[{HIDDEN}",
    ):  # fmt: skip
        assert HIDDEN not in url_shown(url), url
    assert url_shown("https://h:8/a/b?page=2&key={secret:K}") == "https://h:8/a/b?page=2&key={secret:K}"


def test_texts_and_values() -> None:
    hidden = {"password": HIDDEN, "a": [{"api_key": {"deep": HIDDEN}, "tokens": 3}], "Cookie": HIDDEN, "pin": 1234567}
    for shown in (json.dumps(masked(hidden)), excerpt(hidden, 2000), text_shown(json.dumps(hidden))):
        assert HIDDEN not in shown and "1234567" not in shown and '"tokens": 3' in shown
    assert masked({"password": None, "secret": True, "token": ""}) == {"password": None, "secret": True, "token": ""}
    for text in (
        f"token={HIDDEN}&x=1",
        f"password: '{HIDDEN}'",
        f"Authorization: Bearer {HIDDEN}",
        f'"secret" : "{HIDDEN}',
    ):
        assert HIDDEN not in text_shown(text), text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_letters, max_size=8), inner),
    ),
    st.integers(1, 60),
)
def test_an_excerpt_is_bounded_and_begins_as_the_value_does(value: object, most: int) -> None:
    shown = excerpt(value, most)
    assert len(shown) <= most
    whole = excerpt(value, 100_000)
    assert whole.startswith(shown.removesuffix("…")) or MASK in whole
    if not isinstance(value, str):
        json.loads(whole)


def test_a_known_secret_at_the_cut_is_not_shown_in_half(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"KEY": "s3cr3t-value-of-the-site"}
    for before in range(60, 100):
        for value in ("x" * before + "s3cr3t-value-of-the-site", {"a": "x" * before + "s3cr3t-value-of-the-site"}):
            assert "s3cr" not in redact(excerpt(value, 90))
    assert excerpt("y" * 5_000_000, 90) == "y" * 89 + "…"
