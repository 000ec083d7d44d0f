"""The site's secret key: made on the first run, kept in the data folder, readable by its owner only."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def stored_secret_key(data_dir: Path) -> str:
    """Several processes may start at once for the first time: the first link wins, and all read the same file."""
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"ZEN_DATA_DIR={str(data_dir)!r} cannot hold the secret key ({error.strerror}); "
            "name a folder that can be written, for example ZEN_DATA_DIR=/var/lib/zen, or set ZEN_SECRET_KEY"
        ) from None
    if len(key) < 32:
        raise ImproperlyConfigured(f"{path} holds no usable key; delete it, and the next start makes a new one")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
