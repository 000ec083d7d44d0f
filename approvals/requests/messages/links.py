"""Links that open one request for one person without an account. The stored address has no token.

It is added when the message is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac

from approvals.core.approval.plan import PLAN
from approvals.core.enums import AtTheEnd
from approvals.models import Link, Request
from foundation.clock import now
from orchestration.runs.external import lock_external_run

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PATH = re.compile(rf"/approvals/link/({UUID})/")
TOKEN = re.compile(rf"({UUID})\.([0-9a-f]{{64}})")


def page_of(request: Request) -> str:
    """The address of the request's page, for people who sign in."""
    return f"{settings.ZEN_PUBLIC_URL}{reverse('approval-page', args=[request.request_id])}"


def link_for(request: Request, person: str, *, stage: int) -> str:
    """The address of this person's own page, without its token. Inside the caller's transaction.

    Told again, as by a reminder, the same link is valid for as long as a new one.
    """
    at = now()
    link, _ = Link.objects.get_or_create(
        request=request, round=request.round, stage=stage, person=person,
        defaults={"created_at": at, "expires_at": at, "digest": ""},
    )  # fmt: skip
    link.digest, link.expires_at = _digest(_token(str(link.pk))), _good_until(request, stage, at)
    link.save(update_fields=["digest", "expires_at"])
    return f"{settings.ZEN_PUBLIC_URL}/approvals/link/{link.pk}/"


def signed(url: str) -> str:
    """The address with its token, if it is one of these links; any other address unchanged.

    The host is the site's present one, which may have changed since the row was written.
    """
    found = PATH.fullmatch(url.removeprefix(settings.ZEN_PUBLIC_URL)) or PATH.fullmatch(urlsplit(url).path)
    if found is None:
        return url
    return f"{settings.ZEN_PUBLIC_URL}/approvals/link/{_token(found[1])}/"


def find(token: str) -> Link | None:
    """The link of a token; None for a token that this site did not make."""
    found = TOKEN.fullmatch(token)
    link = _whole().filter(pk=found[1]).first() if found else None
    if link is None or not hmac.compare_digest(link.digest, _digest(token)):
        return None
    return link


def again(link: Link) -> Link:
    """The link read anew, with its request."""
    return _whole().get(pk=link.pk)


def locked(link: Link) -> Link:
    """The link read anew, with the lock of its request, until the caller's transaction ends."""
    lock_external_run(link.request.run_id)
    return again(link)


def _whole() -> QuerySet[Link]:
    return Link.objects.select_related("request__run", "request__policy")


def _good_until(request: Request, stage: int, at: datetime) -> datetime:
    """Never after the stage's end; where its deadline hands it to an administrator, or moves with who has heard of it,
    the request itself says whether people may still decide.
    """
    most = at + timedelta(days=settings.ZEN_LINK_DAYS)
    ends = PLAN.validate_python(request.plan).stages[stage].at_the_end is AtTheEnd.REJECT
    return min(most, request.expires_at) if request.expires_at and ends else most


def _token(pk: str) -> str:
    return f"{pk}.{salted_hmac('approvals.links', pk, algorithm='sha256').hexdigest()}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
