"""The file of a multipart form."""

from __future__ import annotations

import email.policy
import hashlib
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

MOST_BYTES = 10 * 1024 * 1024


class NotAnUpload(Exception):
    """Why it is none."""


def kept(content_type: str, body: bytes, folder: Path) -> Path:
    """The field `file`, kept below the folder under its digest and its own name. Raises NotAnUpload."""
    if not content_type.startswith("multipart/form-data"):
        raise NotAnUpload("expected multipart/form-data")
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    parsed = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    for part in parsed.iter_parts() if parsed.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            payload = part.get_payload(decode=True)
            data = payload if isinstance(payload, bytes) else b""
            name = PurePosixPath((part.get_filename() or "file").replace("\\", "/")).name or "file"
            place = folder / hashlib.sha256(data).hexdigest() / name.replace("\0", "")[:200]
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.write_bytes(data)
            return place
    raise NotAnUpload("the form has no field `file`")
