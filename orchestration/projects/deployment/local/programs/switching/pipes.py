"""Two connections that talk as they like, such as after an upgrade."""

from __future__ import annotations

import asyncio
import contextlib

from .limits import CHUNK

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def joined(*pairs: Pair) -> None:
    """Hand on what each reader gets to its writer, until one of them has ended."""
    pipes = [asyncio.ensure_future(_pipe(*pair)) for pair in pairs]
    await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
    for pipe in pipes:
        pipe.cancel()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
