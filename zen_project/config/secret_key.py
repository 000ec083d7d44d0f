"""The site's own keys: made on the first run, kept in the data folder, readable by their owner only."""

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SEED_BYTES = 32
SHORTEST_KEY, FEWEST_CHARACTERS, FEWEST_BYTES = 32, 10, 12
EXAMPLES = (
    "changeme", "change-me", "change_me", "changethis", "change-this", "django-insecure", "example", "insecure",
    "my-secret", "mysecret", "only-to-collect", "password", "placeholder", "random characters", "random-characters",
    "replace-me", "replaceme", "secret-key", "secret_key", "secretkey", "supersecret", "super-secret", "your-secret",
    "your_secret", "yoursecret",
)  # fmt: skip
"""Parts of keys that were copied from an example."""


def given_secret_key(given: str, *, debug: bool) -> str:
    """The key that the environment gives, '' for none. Outside DEBUG not a short one, and none from an example.

    Sessions, links and the stored keys of callbacks depend on it: anyone who guesses it can act as any account.
    """
    if not given or debug:
        return given
    if len(given) < SHORTEST_KEY:
        raise _weak(f"has {len(given)} characters, fewer than {SHORTEST_KEY}")
    if len(set(given)) < FEWEST_CHARACTERS:
        raise _weak(f"has fewer than {FEWEST_CHARACTERS} different characters")
    if any(word in given.lower() for word in EXAMPLES):
        raise _weak("is one from an example")
    return given


def _weak(why: str) -> ImproperlyConfigured:
    """The refusal of a weak key. The value itself is not repeated: it may be in use elsewhere."""
    return ImproperlyConfigured(
        f"ZEN_SECRET_KEY {why}; make one with: openssl rand -hex 32. The one that was used until now goes into "
        "ZEN_SECRET_KEY_FALLBACKS for as long as something signed with it is about"
    )


def stored_secret_key(data_dir: Path) -> str:
    key = _stored(
        data_dir / "secret_key", lambda: secrets.token_urlsafe(50), what="secret key", setting="ZEN_SECRET_KEY"
    )
    if len(key) < 32:
        path = data_dir / "secret_key"
        raise ImproperlyConfigured(f"{path} holds no usable key; delete it, and the next start makes a new one")
    return key


def signing_key(given: str, data_dir: Path) -> str:
    """The seed of the ed25519 key that signs for the site, in base64: the one that is given, or the stored one."""
    if given:
        return _seed(given, "ZEN_SIGNING_KEY")
    path = data_dir / "signing_key"
    stored = _stored(path, _new_seed, what="signing key", setting="ZEN_SIGNING_KEY")
    return _seed(stored, str(path))


def _new_seed() -> str:
    return base64.b64encode(secrets.token_bytes(SEED_BYTES)).decode()


def _seed(text: str, source: str) -> str:
    """The value itself is not repeated in the message: it may be nearly right."""
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    remedy = f"make them with: openssl rand -base64 {SEED_BYTES}"
    if len(seed) != SEED_BYTES:
        raise ImproperlyConfigured(f"{source} does not hold {SEED_BYTES} bytes in base64; {remedy}")
    if len(set(seed)) < FEWEST_BYTES:
        raise ImproperlyConfigured(f"{source} does not hold random bytes; {remedy}")
    return text


def _stored(path: Path, new: Callable[[], str], *, what: str, setting: str) -> str:
    """Several processes may start at once for the first time: the first link wins, and all read the same file."""
    try:
        if not path.exists():
            _make(path, new())
        return path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise ImproperlyConfigured(
            f"ZEN_DATA_DIR={str(path.parent)!r} cannot hold the {what} ({error.strerror}); "
            f"name a folder that can be written, for example ZEN_DATA_DIR=/var/lib/zen, or set {setting}"
        ) from None


def _make(path: Path, content: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
