"""DATABASE_URL → the entry in Django's DATABASES."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from zen_project.config.env import refuse

EXAMPLE = "postgres://zen:password@db.internal:5432/zen"

# WAL lets readers pass a writer; IMMEDIATE makes a writer wait for the lock at BEGIN, where the timeout applies.
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON",
}


# A server that vanishes without a word (its machine, or the network between) is noticed within half a minute.
POSTGRES_OPTIONS = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def database(url: str, *, base_dir: Path) -> dict[str, Any]:
    """`sqlite:///relative/to/the/project`, `sqlite:////absolute`, or `postgres://user:password@host:port/name`."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise refuse("DATABASE_URL", url, f"is not a URL ({error})", EXAMPLE) from None
    match parts.scheme:
        case "sqlite":
            return _sqlite(url, parts, base_dir)
        case "postgres" | "postgresql":
            return _postgres(url, parts)
    raise refuse("DATABASE_URL", url, "is neither sqlite:// nor postgres://", EXAMPLE)


def _sqlite(url: str, parts: SplitResult, base_dir: Path) -> dict[str, Any]:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or parts.query or not path or path == ":memory:":
        why = "names no file (the processes share the database, so it cannot live in memory)"
        raise refuse("DATABASE_URL", url, why, "sqlite:////var/lib/zen/zen.sqlite3")
    file = base_dir / path
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(
            "DATABASE_URL", url, f"is in a folder that cannot be created ({error.strerror})", EXAMPLE
        ) from None
    return _entry("sqlite3", str(file), SQLITE_OPTIONS)


def _postgres(url: str, parts: SplitResult) -> dict[str, Any]:
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise refuse("DATABASE_URL", url, "names no database", EXAMPLE)
    options: dict[str, object] = {**POSTGRES_OPTIONS, **dict(parse_qsl(parts.query))}
    host = options.pop("host", None) or unquote(parts.hostname or "")  # ?host=/run/postgresql is a socket's folder
    return _entry("postgresql", name, options) | {
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
    }


def _entry(engine: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": name,
        "OPTIONS": dict(options),
        "CONN_MAX_AGE": 60,  # asgi.py sets 0 for the web: its threads live for one request
        "CONN_HEALTH_CHECKS": True,
    }
