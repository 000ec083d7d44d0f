"""How a Temporal server is reached. Without Django, so that the heartbeat process connects in the same way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from temporalio.client import Client
from temporalio.converter import DataConverter, default
from temporalio.service import TLSConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """`ca`, `cert`, `key`: paths of PEM files, '' for none. `server_name`: the name that the server's certificate
    must carry, where that is not the host of `address`.
    """

    address: str
    namespace: str
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    api_key: str = field(default="", repr=False)

    def as_json(self) -> str:
        """As the heartbeat process gets it."""
        return json.dumps(asdict(self))


async def connect(options: ConnectionOptions, *, converter: DataConverter | None = None, lazy: bool = False) -> Client:
    """Connect to the server.

    Raises:
        OSError: a file cannot be read.
        RuntimeError: the server cannot be reached.
    """
    return await Client.connect(
        options.address,
        namespace=options.namespace,
        tls=_tls(options) if options.tls else False,
        api_key=options.api_key or None,
        data_converter=converter or default(),
        lazy=lazy,
    )


def _tls(options: ConnectionOptions) -> TLSConfig:
    return TLSConfig(
        server_root_ca_cert=_content(options.ca),
        client_cert=_content(options.cert),
        client_private_key=_content(options.key),
        domain=options.server_name or None,
    )


def _content(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None
