"""The mail server from EMAIL_URL, or from EMAIL_HOST and the like; and where Slack's API is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from zen_project.config.env import Env, is_host, refuse

EXAMPLE = "smtp://user:password@mail.company.com:587?tls=starttls"
PARTS = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USER", "EMAIL_PASSWORD", "EMAIL_TLS")
TLS = ("starttls", "ssl", "none")
PORTS = {"starttls": 587, "ssl": 465, "none": 25}
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """`host` is '' when there is none: then nothing can be mailed, and each delivery says so."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    tls: str = "starttls"


def mail_server(env: Env) -> MailServer:
    url = env.secret("EMAIL_URL")
    if not url:
        return _from_parts(env)
    if also := [name for name in PARTS if env.text(name)]:
        raise refuse("EMAIL_URL", url, f"is set, and so is {', '.join(also)}: keep one of them", EXAMPLE)
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise refuse("EMAIL_URL", url, f"is not a URL ({error})", EXAMPLE) from None
    if parts.scheme not in ("smtp", "smtps") or not is_host(host) or parts.path.strip("/"):
        raise refuse("EMAIL_URL", url, "is neither smtp://host nor smtps://host", EXAMPLE)
    query = dict(parse_qsl(parts.query))
    tls = query.pop("tls", "ssl" if parts.scheme == "smtps" else "starttls")
    if query or tls not in TLS or (parts.scheme == "smtps" and tls != "ssl"):
        raise refuse("EMAIL_URL", url, f"knows one parameter, tls, which is {', '.join(TLS)}", EXAMPLE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return _checked(
        env, "EMAIL_URL", MailServer(host=host, port=port or PORTS[tls], user=user, password=password, tls=tls)
    )


def _from_parts(env: Env) -> MailServer:
    host = env.text("EMAIL_HOST")
    if not host:
        for name in PARTS[1:]:
            if env.secret(name):
                raise refuse(name, "***", "is set, but EMAIL_HOST is not", "…, with EMAIL_HOST=mail.company.com")
        return MailServer()
    if not is_host(host):
        raise refuse("EMAIL_HOST", host, "is not a host's name", "mail.company.com")
    tls = env.choice("EMAIL_TLS", "starttls", TLS)
    port = env.integer("EMAIL_PORT", PORTS[tls], most=65_535)
    server = MailServer(
        host=host, port=port, user=env.text("EMAIL_USER"), password=env.secret("EMAIL_PASSWORD"), tls=tls
    )
    return _checked(env, "EMAIL_HOST", server)


def _checked(env: Env, name: str, server: MailServer) -> MailServer:
    """A password goes nowhere in the clear, except within this machine."""
    if bool(server.user) != bool(server.password):
        raise refuse(name, server.host, "has a user without a password, or the reverse", EXAMPLE)
    if server.password and server.tls == "none" and server.host not in LOCAL:
        raise refuse(name, server.host, "would get its password without encryption", EXAMPLE)
    return server


def sender_address(env: Env) -> str:
    value = env.text("EMAIL_FROM", "zen@localhost")
    try:
        validate_email(value.rpartition("<")[2].removesuffix(">") if value.endswith(">") else value)
    except ValidationError:
        if value != "zen@localhost":
            raise refuse("EMAIL_FROM", value, "is no e-mail address", "Zen <zen@company.com>") from None
    return value


def slack_api(env: Env) -> str:
    """With the slash at its end that the client needs."""
    value = env.text("ZEN_NOTIFY_SLACK_URL", "https://slack.com/api/")
    parts = urlsplit(value)
    local = parts.scheme == "http" and parts.hostname in LOCAL
    if not (parts.scheme == "https" or local) or not parts.hostname or parts.query or parts.fragment:
        raise refuse("ZEN_NOTIFY_SLACK_URL", value, "is no https:// URL", "https://slack.com/api/")
    return value.rstrip("/") + "/"


def public_url(env: Env, neighbour: str = "") -> str:
    """Where people reach this site: what links in messages begin with. Without the slash at its end.

    `neighbour`: the site of a running `manage.py up`, whose port is its own.
    """
    value = env.text("ZEN_PUBLIC_URL", neighbour or "http://localhost:8000")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise refuse("ZEN_PUBLIC_URL", value, "is not the address of a site", "https://zen.example.com")
    return value.rstrip("/")
