"""How the Temporal server is reached (TEMPORAL_ADDRESS and the like), and the keys of what is stored there."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from zen_project.config.env import Env, refuse

KEY_BYTES = 32
KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
KEYS_EXAMPLE = (
    "2026:… (32 bytes in base64, as `openssl rand -base64 32` makes them), or 2027:…,2026:… while keys change"
)
TLS_PARTS = ("TEMPORAL_TLS_CA", "TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY", "TEMPORAL_TLS_SERVER_NAME")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalServer:
    """`ca`, `cert`, `key`: paths of PEM files, '' for none."""

    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    api_key: str = field(default="", repr=False)


def temporal_server(env: Env) -> TemporalServer:
    """TLS is on where one of its parts or an API key is set."""
    given = [name for name in TLS_PARTS if env.text(name)]
    api_key = env.secret("TEMPORAL_API_KEY")
    found = TemporalServer(
        tls=env.boolean("TEMPORAL_TLS", bool(given or api_key)),
        ca=env.text("TEMPORAL_TLS_CA"),
        cert=env.text("TEMPORAL_TLS_CERT"),
        key=env.text("TEMPORAL_TLS_KEY"),
        server_name=env.text("TEMPORAL_TLS_SERVER_NAME"),
        api_key=api_key,
    )
    if found.tls and not env.text("TEMPORAL_ADDRESS"):
        name = (*given, "TEMPORAL_API_KEY" if api_key else "TEMPORAL_TLS")[0]
        raise refuse(name, "***", "is set, but TEMPORAL_ADDRESS is not", "…, with TEMPORAL_ADDRESS=host:7233")
    if not found.tls and given:
        raise refuse("TEMPORAL_TLS", env.text("TEMPORAL_TLS"), f"contradicts {given[0]}, which is set", "on")
    if not found.tls and api_key:
        raise refuse("TEMPORAL_TLS", env.text("TEMPORAL_TLS"), "would send TEMPORAL_API_KEY unencrypted", "on")
    if not api_key.isascii() or not api_key.isprintable():
        raise refuse(
            "TEMPORAL_API_KEY", "***", "has a character that no header may hold", "the key as it was given out"
        )
    _check_certificates(found)
    return found


def _check_certificates(found: TemporalServer) -> None:
    if bool(found.cert) != bool(found.key):
        there, missing = ("CERT", "KEY") if found.cert else ("KEY", "CERT")
        path = found.cert or found.key
        raise refuse(
            f"TEMPORAL_TLS_{there}", path, f"is set, but TEMPORAL_TLS_{missing} is not", "client.pem, with both"
        )
    if found.ca:
        _certificate("TEMPORAL_TLS_CA", found.ca)
    if not found.cert:
        return
    owner = _certificate("TEMPORAL_TLS_CERT", found.cert)
    try:
        public = load_pem_private_key(_content("TEMPORAL_TLS_KEY", found.key), None).public_key()
    except (ValueError, TypeError) as error:
        why = f"is no private key in PEM without a password ({error})"
        raise refuse("TEMPORAL_TLS_KEY", found.key, why[:300], "/etc/zen/client-key.pem") from None
    if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != owner:
        raise refuse("TEMPORAL_TLS_KEY", found.key, "is not the key of TEMPORAL_TLS_CERT", "/etc/zen/client-key.pem")


def _certificate(name: str, path: str) -> bytes:
    """The public key of the first certificate in the file."""
    try:
        first = load_pem_x509_certificates(_content(name, path))[0]
    except ValueError:
        raise refuse(
            name, path, "holds no certificate in PEM", f"/etc/zen/{name.rpartition('_')[2].lower()}.pem"
        ) from None
    return first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _content(name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise refuse(name, path, f"cannot be read ({error.strerror})", "/etc/zen/client.pem") from None


def codec_keys(env: Env, name: str = "ZEN_TEMPORAL_CODEC_KEYS") -> dict[str, bytes]:
    """{id: key}, the one that encrypts first. No message shows what was given: it may be a key."""
    found: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in env.secret(name).split(","))), 1):
        key_id, colon, text = (part.strip() for part in entry.partition(":"))
        if not colon or not KEY_NAME.fullmatch(key_id):
            raise refuse(name, "***", f"has an entry (the {number}.) that does not begin with id:", KEYS_EXAMPLE)
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise refuse(name, "***", f"has a key '{key_id}' that is not base64", KEYS_EXAMPLE) from None
        if len(key) != KEY_BYTES:
            raise refuse(name, "***", f"has a key '{key_id}' of {len(key)} bytes, not {KEY_BYTES}", KEYS_EXAMPLE)
        if key_id in found:
            raise refuse(name, "***", f"names the key '{key_id}' twice", KEYS_EXAMPLE)
        found[key_id] = key
    return found
