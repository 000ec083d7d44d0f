"""Payloads that only this site can read: AES-GCM, with the id of the key beside it and the namespace bound to it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    PayloadCodec,
    default,
)

ENCODING = "binary/encrypted"
KEY_ID = "encryption-key-id"
NONCE_BYTES = 12


class Unreadable(Exception):
    """A payload that none of our keys opens. The run waits for the key; nothing is decided by it."""


class EncryptionCodec(PayloadCodec):
    """The first key encrypts, all decrypt. What was written before there was a key is read as it is."""

    def __init__(self, keys: Mapping[str, bytes], namespace: str) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(keys))
        self._bound = namespace.encode()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload under the first key."""
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt each payload under the key that it names. Raises Unreadable."""
        return [self._decrypted(payload) for payload in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        data = self._keys[self._first].encrypt(nonce, payload.SerializeToString(), self._bound)
        metadata = {"encoding": ENCODING.encode(), KEY_ID: self._first.encode()}
        return Payload(metadata=metadata, data=nonce + data)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING.encode():
            return payload
        name = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        if name not in self._keys:
            raise Unreadable(f"ZEN_TEMPORAL_CODEC_KEYS has no key '{name}', which this was encrypted with; add it")
        try:
            plain = self._keys[name].decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], self._bound)
        except InvalidTag:
            raise Unreadable(
                f"key '{name}' of ZEN_TEMPORAL_CODEC_KEYS is not the one this was encrypted with"
            ) from None
        return Payload.FromString(plain)


class _NoKeys(EncodingPayloadConverter):
    """Says what is missing where a payload is encrypted and the site has no key at all."""

    @property
    def encoding(self) -> str:
        return ENCODING

    def to_payload(self, value: Any) -> Payload | None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        name = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        raise Unreadable(f"this was encrypted with key '{name}', and ZEN_TEMPORAL_CODEC_KEYS is not set")


class PlainConverter(CompositePayloadConverter):
    """Temporal's converter, which also says what is missing where an encrypted payload meets a site without keys."""

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter().converters.values(), _NoKeys())


def converter(keys: Mapping[str, bytes], namespace: str) -> DataConverter:
    """With keys, all payloads are encrypted, and the messages and traces of failures too."""
    if not keys:
        return dataclasses.replace(default(), payload_converter_class=PlainConverter)
    return dataclasses.replace(
        default(),
        payload_codec=EncryptionCodec(keys, namespace),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
