"""Links that open one question for one person. What is stored and mailed about has no token; it is added at sending."""

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

from approvals.core.codec import PLAN
from approvals.core.words import AtTheEnd
from approvals.models import Link, Request
from orchestration import ledger
from orchestration.clock import now

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PATH = re.compile(rf"/approvals/link/({UUID})/")
TOKEN = re.compile(rf"({UUID})\.([0-9a-f]{{64}})")


def page_of(request: Request) -> str:
    """The address for somebody who signs in."""
    return f"{settings.ZEN_PUBLIC_URL}{reverse('approval-page', args=[request.request_id])}"


def link_for(request: Request, person: str, *, stage: int) -> str:
    """The address of this person's own page, without its token. Inside the caller's transaction.

    Whoever is told again, as by a reminder, has it for as long as a new one.
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
    """The address as it is sent: with the token, where it is one of ours. Other addresses stay as they are.

    It leads to where the site is now, which may be another port or name than when the row was written.
    """
    found = PATH.fullmatch(url.removeprefix(settings.ZEN_PUBLIC_URL)) or PATH.fullmatch(urlsplit(url).path)
    if found is None:
        return url
    return f"{settings.ZEN_PUBLIC_URL}/approvals/link/{_token(found[1])}/"


def find(token: str) -> Link | None:
    """The link of a token; None for one that is not ours."""
    found = TOKEN.fullmatch(token)
    link = _whole().filter(pk=found[1]).first() if found else None
    if link is None or not hmac.compare_digest(link.digest, _digest(token)):
        return None
    return link


def again(link: Link) -> Link:
    """As it and its request are by now."""
    return _whole().get(pk=link.pk)


def locked(link: Link) -> Link:
    """The same, with the lock in which every act on its request queues, until the caller's transaction ends."""
    ledger.locked(link.request.run_id)
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
