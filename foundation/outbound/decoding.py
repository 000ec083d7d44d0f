"""The body of an answer without its Content-Encoding: every member of gzip, and an error where it breaks off.

The HTTP library reads the first member of a gzip body alone, and takes one that was cut off for a whole one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import httpx2

PIECE = 1024 * 1024
"""Bytes that one step of unpacking gives at most, however small what they came from."""
GZIP = b"\x1f\x8b"
NONE, GZIPS, DEFLATE = "identity", ("gzip", "x-gzip"), "deflate"


def plain(response: httpx2.Response) -> Iterator[bytes]:
    """The body in pieces. Raises DecodingError; codings other than gzip and deflate are left to the library."""
    named = response.headers.get("content-encoding", "").lower().split(",")
    codings = [coding for name in named if (coding := name.strip()) not in ("", NONE)]
    if not all(coding == DEFLATE or coding in GZIPS for coding in codings):
        return response.iter_bytes()
    chunks: Iterator[bytes] = response.iter_raw()
    for coding in reversed(codings):
        chunks = _inflated(chunks, coding) if coding == DEFLATE else _gunzipped(chunks)
    return chunks


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Members one after another; what follows them and is none, such as padding, is no part of the body."""
    reader, rest, begun = _gzip(), b"", False
    for chunk in chunks:
        rest += chunk
        while rest:
            if reader.eof:
                if len(rest) < len(GZIP):
                    break
                if not rest.startswith(GZIP):
                    return
                reader = _gzip()
            begun = True
            yield from _unpacked(reader, rest)
            rest = reader.unused_data
    if begun and not reader.eof:
        raise _broken_off("gzip")


def _inflated(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """With zlib's header or, as some services send it, without."""
    reader, head = None, b""
    for chunk in chunks:
        if reader is None:
            head += chunk
            if len(head) < 2:
                continue
            is_zlib = head[0] & 15 == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0
            reader, chunk = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS), head
        yield from _unpacked(reader, chunk)
    if head and (reader is None or not reader.eof):
        raise _broken_off(coding)


def _gzip() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _unpacked(reader: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    try:
        while piece := reader.decompress(data, PIECE):
            yield piece
            data = reader.unconsumed_tail
    except zlib.error as error:
        raise httpx2.DecodingError(f"the body of the answer is not what its Content-Encoding says: {error}") from None


def _broken_off(coding: str) -> httpx2.DecodingError:
    return httpx2.DecodingError(f"the answer breaks off: its {coding} data has no end")
