"""The site's signature, checked by other means than our own."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.audit import signing_key
from foundation.errors import BadInput


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_holds_for_its_message_only(message: bytes, other: bytes) -> None:
    signature = signing_key.sign(message)
    assert signing_key.verify(message, signature)
    assert signing_key.verify(other, signature) == (other == message)


@given(st.text(max_size=100))
def test_what_is_no_signature_does_not_hold(text: str) -> None:
    assert not signing_key.verify(b"message", text)


def test_the_signature_of_another_key_does_not_hold() -> None:
    other = base64.b64encode(bytes(32)).decode()
    assert not signing_key.verify(b"message", signing_key.sign(b"message"), key=other)
    assert signing_key.key_id(other) != signing_key.key_id()


def test_openssl_verifies_it(tmp_path: Path) -> None:
    for name, content in (("key.pem", signing_key.public_pem().encode()), ("message", b"hello"),
                          ("signature", base64.b64decode(signing_key.sign(b"hello")))):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message",
               "-sigfile", "signature"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("key", ["?", "AAAA", "ä" * 44])
def test_what_is_no_public_key_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="is not a public key"):
        signing_key.verify(b"", "", key=key)
