"""Certificates of a test, and a proxy that ends TLS before a server and notes the headers of each HTTP/2 request."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hpack import Decoder

from tests.support.waiting import PATIENCE_SECONDS

HEADERS = 1
PADDED, PRIORITY = 0x8, 0x20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Authority:
    """`pem(name)` writes a certificate of that name and its key; `.ca` is the authority's own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _certificate(name, self.key, name, self.key, is_ca=True)
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def pem(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        cert, private = self.folder / f"{self.name}-{name}.pem", self.folder / f"{self.name}-{name}-key.pem"
        cert.write_bytes(_certificate(name, key, self.name, self.key, is_ca=False).public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cert, private


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, is_ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    build = x509.CertificateBuilder().subject_name(_named(name)).issuer_name(_named(issuer))
    build = build.public_key(key.public_key()).serial_number(x509.random_serial_number())
    build = build.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    build = build.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    if not is_ca:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names: list[x509.GeneralName] = [x509.DNSName(name)] if "." in name else [address]
        build = build.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return build.sign(signer, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Proxy:
    """`address` to connect to; `requests`: the headers of each request so far."""

    def __init__(self, target: str, context: ssl.SSLContext) -> None:
        self.host, _, port = target.partition(":")
        self.port, self.context = int(port), context
        self.requests: list[dict[str, str]] = []
        self.address = ""
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.context)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0.1)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(self.host, self.port)
        self.writers += [writer, inner_writer]
        await asyncio.gather(
            self._pump(reader, inner_writer, Frames(self.requests)),
            self._pump(inner_reader, writer, None),
            return_exceptions=True,
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: Frames | None) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await reader.read(65536):
                if frames is not None:
                    frames.feed(data)
                writer.write(data)
                await writer.drain()
        writer.close()


class Frames:
    def __init__(self, requests: list[dict[str, str]]) -> None:
        self.requests, self.decoder = requests, Decoder()
        self.buffer = b""
        self.begun = False

    def feed(self, data: bytes) -> None:
        self.buffer += data
        if not self.begun and len(self.buffer) >= len(PREFACE):
            self.buffer, self.begun = self.buffer.removeprefix(PREFACE), True
        while self.begun and len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                return
            kind, flags, body = self.buffer[3], self.buffer[4], self.buffer[9 : 9 + size]
            self.buffer = self.buffer[9 + size :]
            if kind == HEADERS:
                assert not flags & (PADDED | PRIORITY)
                self.requests.append({str(name): str(value) for name, value in self.decoder.decode(body)})


@contextmanager
def tls_proxy(target: str, *, cert: tuple[Path, Path], client_ca: Path | None = None) -> Iterator[Proxy]:
    """With `client_ca`, only who shows a certificate of that authority is let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cert)
    context.set_alpn_protocols(["h2"])
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    proxy, ready, loop = Proxy(target, context), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        loop.run_until_complete(proxy.serve(ready, stop))
        if left := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(left, timeout=PATIENCE_SECONDS))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_SECONDS)
