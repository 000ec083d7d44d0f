"""What a channel may be: the rules between its name, kind, target and token. Pure; no value is resolved here."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from notifications.channels.apprise_services import FORBIDDEN_PARAMETERS, OPEN, SCHEMES

NAME = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#][^\s?#]*")
SECRET = re.compile(r"\{secret:[A-Z][A-Z0-9_]*\}")
PHONE = "{phone}"
OWN_WORD = ("email", "slack", "webhook")
"""A name that begins with one of these is of that kind (an apprise URL may reach Slack too)."""


def problems(*, name: str, kind: str, personal: bool, target: str, token: str) -> dict[str, str]:
    """Field → what is wrong with it."""
    found: dict[str, str] = {}
    scheme = name.partition("://")[0]
    if not NAME.fullmatch(name):
        found["name"] = f"{name[:60]!r} is not like kind://handle; for example slack://deployments"
    elif scheme in OWN_WORD and kind != scheme and (scheme, kind) != ("slack", "apprise"):
        found["kind"] = f"{name} is of the kind {scheme}, not {kind}"
    if why := _TARGETS[kind](target, personal) if kind in _TARGETS else "":
        found["target"] = why
    if why := _token(kind, token):
        found["token"] = why
    return found


def _token(kind: str, token: str) -> str:
    if kind != "slack":
        return "only a slack channel has one; leave it empty" if token else ""
    if not SECRET.fullmatch(token):
        return "a bot token is never stored here; put it into a secret and write {secret:SLACK_TOKEN}"
    return ""


def _email(target: str, personal: bool) -> str:
    if personal:
        return "a personal channel takes each person's address; leave it empty" if target else ""
    try:
        validate_email(target)
    except ValidationError:
        return f"{target[:60]!r} is no e-mail address; for example devops@company.com"
    return ""


def _slack(target: str, personal: bool) -> str:
    if personal:
        return "a personal channel takes each person's Slack id; leave it empty" if target else ""
    if not re.fullmatch(r"#?[^\s#@<>,]{1,80}", target):
        return f"{target[:60]!r} is no Slack channel; for example #deployments or C0123456789"
    return ""


def _webhook(target: str, personal: bool) -> str:
    if personal:
        return "a webhook has no personal addresses"
    if SECRET.fullmatch(target):
        return ""
    return literal_password(target) or ("" if is_http(target) else f"{target[:60]!r} is no http(s) URL or {{secret:…}}")


def _apprise(target: str, personal: bool) -> str:
    if personal != (PHONE in target):
        return f"a personal channel has {PHONE} in its URL, and no other has"
    if SECRET.match(target):
        return ""
    if why := refused_url(target):
        return why
    if scheme_of(target) not in OPEN and not SECRET.search(target):
        return "credentials are never stored here; put them into a secret, such as tgram://{secret:BOT}/chat"
    return literal_password(target)


_TARGETS = {"email": _email, "slack": _slack, "webhook": _webhook, "apprise": _apprise}


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def refused_url(url: str) -> str:
    """Why an apprise URL is not taken, as it stands or once its secrets are filled in. Quotes its scheme only."""
    scheme = scheme_of(url)
    if scheme not in SCHEMES:
        return f"the service {scheme[:30]!r} is not among {', '.join(sorted(SCHEMES))}"
    if re.search(r"\s", url):
        return "it must be one URL"
    if taken := {_parameter(part) for part in re.split("[?&;#]", url)[1:]} & FORBIDDEN_PARAMETERS:
        return f"the parameter {', '.join(sorted(taken))} is decided here, not in the URL"
    return ""


def _parameter(part: str) -> str:
    """Its name as apprise reads it: unquoted, in small letters, without the mark that it may begin with."""
    return unquote(part.partition("=")[0]).lower().strip().lstrip("+-:").strip()


def is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        return False


def literal_password(url: str) -> str:
    credentials = SECRET.sub("", url).partition("://")[2].rpartition("@")[0]
    if credentials.partition(":")[2]:
        return "a password is never stored here; put it into a secret and write {secret:NAME}"
    return ""
